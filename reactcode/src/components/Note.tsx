// A quiet sentence that comes and goes by itself.
import type { State } from "../state";

export function Note({ note }: { readonly note: State["note"] }) {
  if (note === null) return null;
  return (
    <p key={note.serial} id="note" className="note">
      {note.text}
    </p>
  );
}
