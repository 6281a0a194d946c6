// Before the first answer the page offers to be told what is looked for; whoever answers instead never sees it again.
import { useState } from "react";
import { perform } from "../../core/keys";
import { answeredCount, isGridShown, sceneOf, type State } from "../../core/session";
import { type Session, Icon, Key, Press } from "../../ui";
import "./offer.css";

export function PromptOffer({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const [isSkipped, setSkipped] = useState(false);
  if (isSkipped || !isOffered(state)) return null;
  return (
    <section className="asking" aria-label="What are you looking for?">
      <Press id="prompt-offer" className="field" onClick={() => perform(engine, "prompt", "button")}>
        What are you looking for? <Key name={bindings.prompt} />
      </Press>
      <Press
        id="prompt-skip"
        className="plain small"
        aria-label="Do not say it"
        onClick={() => setSkipped(true)}
      >
        <Icon name="close" />
      </Press>
    </section>
  );
}

/** Whether the words would help, and nothing else is going on. */
function isOffered(state: State): boolean {
  const { status, place, paused, auto } = state;
  if (status === null || place !== null || paused || auto || isGridShown(state)) return false;
  const isNew = answeredCount(status) === 0 && state.past.length === 0 && status.prior?.prompt === "";
  return isNew && status.loops.inference !== "off" && sceneOf(state) === "image";
}
