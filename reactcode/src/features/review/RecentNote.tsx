// The notes of the page since this panel was opened: the panel covers the page's own note.
import { useState } from "react";
import type { State } from "../../core/session";

export function RecentNote({ note }: { readonly note: State["note"] }) {
  const [before] = useState(note?.serial ?? 0);
  return (
    <p className="lately" role="status">
      {note !== null && note.serial > before && <span key={note.serial}>{note.text}</span>}
    </p>
  );
}
