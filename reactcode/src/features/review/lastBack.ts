// What the keys of the review panels share: a held key counts once, and undo stays within the panel.
import type { Correction } from "../../core/session";
import type { Session } from "../../ui";

/** A key that is held down does it once. */
export function once(event: React.KeyboardEvent, action: () => void): void {
  if (!event.repeat) action();
}

/** Takes back only what was answered in this panel: a plain undo would go on with answers that nobody sees. */
export function takeLastBack({ engine, state }: Session, corrections: readonly Correction[]): void {
  if (corrections.length === 0)
    engine.note("You have changed nothing here yet, so there is nothing to take back.");
  else if (!state.undoing) void engine.history.undo();
}
