// What the keys of a review share: a key counts once, and only what was answered there is taken back.
import type { Correction } from "../../core/session";
import type { Session } from "../../ui";

/** A key that is held down does it once. */
export function once(event: React.KeyboardEvent, action: () => void): void {
  if (!event.repeat) action();
}

/** Only what was answered here: undo itself would go on with answers that nobody sees. */
export function takeLastBack({ engine, state }: Session, corrections: readonly Correction[]): void {
  if (corrections.length === 0) engine.note("Nothing was changed here that could be taken back.");
  else if (!state.undoing) void engine.history.undo();
}
