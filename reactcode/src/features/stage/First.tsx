// Over the picture: how much is left of the images that are asked first; and, once, that these are answered.
import { useState } from "react";
import { isGridShown } from "../../core/session";
import { leftInWords, overInWords } from "../../core/words";
import { type Session, Key, Press } from "../../ui";

export function First({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const first = state.status?.asked_first;
  const [isAwaited, setAwaited] = useState(false); // whether the end is to be announced, because the beginning was seen
  const isLeft = (first?.left ?? 0) > 0;
  if (isLeft && !isAwaited) setAwaited(true);
  if (!isLeft && isAwaited && state.panel === "finish") setAwaited(false); // the panel that the announcement leads to
  if (!first || state.place !== null) return null;
  if (isLeft)
    return isGridShown(state) ? null : (
      <p id="first" className="first">
        {leftInWords(first)}
      </p>
    );
  if (!isAwaited) return null;
  const close = () => setAwaited(false);
  const finish = () => {
    close();
    engine.toggle("finish");
  };
  return (
    <section id="first-over" className="offer" role="status">
      <p>{overInWords(first)}</p>
      {first.why !== "like" && (
        <Press className="switch" onClick={finish}>
          Finish <Key name={bindings.finish} />
        </Press>
      )}
      <Press className="plain text" onClick={close}>
        Close
      </Press>
    </section>
  );
}
