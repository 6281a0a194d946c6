// The last import: how many of its labels stand, and the way to take them back, which asks once more.
import { useEffect, useState } from "react";
import * as api from "../../api";
import { counted, takenBack } from "../../core/words";
import { Press } from "../../ui";

export function LastImport() {
  const [last, setLast] = useState<api.LastImport | null>(null);
  const [isAsking, setAsking] = useState(false);
  const [outcome, setOutcome] = useState<string | null>(null);
  useEffect(() => {
    let isHere = true;
    void api.lastImport().then(
      (found) => isHere && setLast(found),
      () => undefined, // the server is away, as the page says
    );
    return () => {
      isHere = false;
    };
  }, []);
  const group = last?.group ?? null;
  if (last === null || group === null) return null;
  const undo = async () => {
    try {
      setOutcome(takenBack((await api.undoImport(group)).images));
    } catch (error) {
      setOutcome(
        error instanceof api.Refused ? error.message : "The server is away; nothing was taken back.",
      );
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
      {counted(last.images, "label stands", "labels stand")} that came with the last import.{" "}
      <Press className="plain text" onClick={() => (isAsking ? void undo() : setAsking(true))}>
        {isAsking ? `Yes, take ${last.images === 1 ? "it" : "all of them"} back` : "Take back…"}
      </Press>
    </p>
  );
}
