// Says once in a run that enough is found; the message stays until the person closes it, beside the answering.
import { useState } from "react";
import { keep, kept } from "../../core/browser";
import type { State } from "../../core/session";
import { nameOf, percent } from "../../core/words";
import { Press } from "../../ui";

const KEY = "ia:certified";

export function Certified({ state }: { readonly state: State }) {
  const [seen, setSeen] = useState(() => kept(KEY, String));
  const { status } = state;
  const certificate = status?.audit?.certificate;
  if (status === null || !certificate?.given || status.left === 0 || status.positives === 0) return null;
  const { recall, confidence } = certificate;
  const told = `${status.id} ${recall} ${confidence}`;
  if (seen === told || (state.auto && state.offer)) return null; // AUTO's offer stands at the same place
  const close = () => {
    keep(KEY, told);
    setSeen(told);
  };
  return (
    <section id="certified" className="offer" role="status">
      <p>
        At least {percent(recall)} of all “{nameOf(status, "positive")}” are found, with {percent(confidence)}{" "}
        confidence. You may stop.
      </p>
      <Press className="plain text" onClick={close}>
        Close
      </Press>
    </section>
  );
}
