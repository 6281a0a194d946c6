// What the parts of the engine share: the state, the way to change it, and the way to say something.
import type { State, Step } from "../session";
import { reasonOf } from "../words";

export interface Store {
  readonly state: State;
  /** This page, as the server knows it. */
  readonly client: string;
  dispatch(step: Step): void;
  /** A quiet sentence for the eye. */
  note(text: string): void;
}

/** Ask something of the server; where it fails, the person reads why, and what holds `meanwhile`. */
export async function attempt(store: Store, deed: () => Promise<void>, meanwhile: string): Promise<void> {
  try {
    await deed();
  } catch (error) {
    store.note(reasonOf(error, meanwhile));
  }
}
