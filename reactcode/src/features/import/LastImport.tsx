// The last import: how many of its labels are left, and the button to undo it, which asks once more.
import { useState } from "react";
import * as api from "../../api";
import { counted, takenBack, reasonOf } from "../../core/words";
import { Press, useAsked } from "../../ui";

export function LastImport() {
  const { answer: last } = useAsked(api.lastImport, null); // while the server is away, the page says so
  const [isAsking, setAsking] = useState(false);
  const [outcome, setOutcome] = useState<string | null>(null);
  const group = last?.group ?? null;
  if (last === null || group === null) return null;
  const undo = async () => {
    try {
      setOutcome(takenBack((await api.undoImport(group)).images));
    } catch (error) {
      setOutcome(reasonOf(error, "nothing was taken back"));
    }
  };
  if (outcome !== null)
    return (
      <p id="last-import" role="status">
        {outcome}
      </p>
    );
  return (
    <p id="last-import">
      {counted(last.images, "label", "labels")} of the last import still{" "}
      {last.images === 1 ? "counts" : "count"}.{" "}
      <Press className="plain text" onClick={() => (isAsking ? void undo() : setAsking(true))}>
        {isAsking ? `Yes, take ${last.images === 1 ? "it" : "all of them"} back` : "Take back…"}
      </Press>
    </p>
  );
}
