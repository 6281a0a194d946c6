// Below the image: how probable a positive is, and which file this is.
import { useRef } from "react";
import { keyLabel, perform } from "../../core/keys";
import { shownOf } from "../../core/session";
import { named } from "../../core/words";
import { type Session, FileName, Icon, Press } from "../../ui";
import { Probability } from "./Probability";

export function Caption({ session }: { readonly session: Session }) {
  const shown = shownOf(session.state);
  const damage = (shown && session.engine.pictures.element(shown)?.dataset.damage) ?? "";
  const path = useRef<HTMLElement>(null);
  const copy = async () => {
    const isCopied = shown !== null && (await copied(shown.path, path.current));
    session.engine.note(isCopied ? "Path copied." : "The browser did not allow copying the path.");
  };
  return (
    <div className="caption" data-empty={shown === null}>
      <Probability session={session} />
      <bdi id="path" className="path" dir="ltr" ref={path} title={named(shown?.path ?? "")}>
        <FileName path={shown?.path ?? ""} />
      </bdi>
      {damage !== "" && (
        <span
          id="damage"
          className="damage"
          title={`${damage} You and the model see the part that can be read.`}
        >
          damaged file
        </span>
      )}
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
          title={`More like this: the most similar images come next (${keyLabel(session.bindings.like)})`}
          onClick={() => perform(session.engine, "like", "button")}
        >
          <Icon name="like" />
        </Press>
      )}
    </div>
  );
}

/** Copy a text; on a page served over plain HTTP by selecting it, as there is no clipboard then. */
async function copied(text: string, element: HTMLElement | null): Promise<boolean> {
  const put = (event: ClipboardEvent) => {
    event.clipboardData?.setData("text/plain", text); // what is selected is the name as people read it
    event.preventDefault();
  };
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (element) window.getSelection()?.selectAllChildren(element);
    document.addEventListener("copy", put, { once: true });
    const isCopied = document.execCommand("copy");
    document.removeEventListener("copy", put);
    return isCopied;
  }
}
