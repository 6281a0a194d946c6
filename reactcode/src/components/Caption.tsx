// Below the image: how probable a positive is, and which file this is.
import { useRef } from "react";
import { keyLabel } from "../bindings";
import { shownOf } from "../state";
import type { Session } from "../useSession";
import { inTwo } from "../words";
import { Icon } from "./Icon";
import { Press } from "./Press";
import { Probability } from "./Probability";

export function Caption({ session }: { readonly session: Session }) {
  const shown = shownOf(session.state);
  const path = useRef<HTMLElement>(null);
  const [head, tail] = inTwo(shown?.path ?? "");
  const copy = async () => {
    const isCopied = shown !== null && (await copied(shown.path, path.current));
    session.engine.note(isCopied ? "Path copied." : "The browser did not let the path be copied.");
  };
  return (
    <div className="caption" data-empty={shown === null}>
      <Probability session={session} />
      <bdi id="path" className="path" dir="ltr" ref={path} title={shown?.path}>
        <span>{head}</span>
        <span>{tail}</span>
      </bdi>
      <Press
        className="plain small"
        aria-label="Copy the path"
        title="Copy the path"
        onClick={() => void copy()}
      >
        <Icon name="copy" />
      </Press>
      {shown !== null && (
        <Press
          id="like"
          className="plain small"
          aria-label="More like this"
          title={`More like this: the most similar come next (${keyLabel(session.bindings.like)})`}
          onClick={() => session.engine.act("like", "button")}
        >
          <Icon name="like" />
        </Press>
      )}
    </div>
  );
}

/** Copy a text; on a page served over plain HTTP by selecting it, as there is no clipboard then. */
async function copied(text: string, element: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (element) window.getSelection()?.selectAllChildren(element);
    return document.execCommand("copy");
  }
}
