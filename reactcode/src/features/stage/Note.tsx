// A quiet sentence that comes and goes by itself; once it has faded, a screen reader does not find it either.
import { useState } from "react";
import type { State } from "../../core/session";

export function Note({ note }: { readonly note: State["note"] }) {
  const [faded, setFaded] = useState(0); // the serial of the last one that has
  if (note === null || note.serial === faded) return null;
  return (
    <p key={note.serial} id="note" className="note" onAnimationEnd={() => setFaded(note.serial)}>
      {note.text}
    </p>
  );
}
