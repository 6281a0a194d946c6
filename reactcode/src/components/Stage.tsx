// The image, large and whole; says when it has really been painted.
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Queued } from "../api";
import type { Engine } from "../engine";
import { afterPaint } from "../paint";
import { original } from "../preload";
import { isPainted, keyOf, shownOf } from "../session";
import { filterOf, type Look } from "../useLook";
import type { Session } from "../useSession";

const MOST_ENLARGED = 3;

interface Props {
  readonly session: Session;
  readonly look: Look;
}

export function Stage({ session, look }: Props) {
  const { engine, state } = session;
  const host = useRef<HTMLDivElement>(null);
  const shown = shownOf(state);
  const picture = shown && engine.picture(shown);
  const painted = isPainted(state);
  const key = shown && keyOf(shown);
  useSize(host, engine);
  useLayoutEffect(() => {
    if (host.current) mount(host.current, picture, shown, painted);
  });
  useLayoutEffect(() => {
    if (picture === null || key === null || painted) return;
    return afterPaint(() => engine.dispatch({ type: "painted", key }));
  }, [engine, picture, key, painted]);
  return (
    <div className="stage" style={{ filter: filterOf(look) }}>
      <div className="fit" ref={host} onDoubleClick={() => engine.act("zoom", "button")} />
      {shown && !picture && <p className="loading">Loading…</p>}
      {shown && state.zoom && <Closely key={key} queued={shown} engine={engine} />}
    </div>
  );
}

/** Put the decoded element itself into the page: nothing is decoded twice, and it is there at once. */
function mount(
  host: HTMLDivElement,
  picture: HTMLImageElement | null,
  shown: Queued | null,
  painted: boolean,
): void {
  if (picture === null || shown === null) return host.replaceChildren();
  picture.dataset["painted"] = String(painted);
  if (host.firstChild === picture) return;
  picture.id = "image";
  picture.alt = shown.path;
  picture.dataset["image"] = String(shown.image);
  picture.style.width = `${MOST_ENLARGED * picture.naturalWidth}px`;
  picture.style.height = `${MOST_ENLARGED * picture.naturalHeight}px`;
  host.replaceChildren(picture);
}

function useSize(host: React.RefObject<HTMLDivElement | null>, engine: Engine): void {
  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return;
    const measure = () => engine.resize(element.clientWidth, element.clientHeight);
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, [host, engine]);
}

/** The file's own pixels; a mouse moves over them, a finger drags them. */
function Closely({ queued, engine }: { readonly queued: Queued; readonly engine: Engine }) {
  const frame = useRef<HTMLDivElement>(null);
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    const abort = new AbortController();
    void original(queued, abort.signal).then((element) => {
      if (abort.signal.aborted) return;
      if (element === null || frame.current === null)
        return engine.note("The full size cannot be shown now.");
      element.alt = queued.path;
      enlarge(element, frame.current);
      setReady(true);
    });
    return () => abort.abort();
  }, [queued, engine]);
  return (
    <div
      ref={frame}
      className="closely"
      data-ready={isReady}
      onPointerMove={(event) => {
        if (event.pointerType === "mouse") follow(event.currentTarget, event.clientX, event.clientY);
      }}
      onDoubleClick={() => engine.act("zoom", "button")}
    />
  );
}

/** Put the picture in at 1:1, its middle in the middle; one that fits the stage anyway at twice the size it had. */
function enlarge(picture: HTMLImageElement, frame: HTMLElement): void {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const fits = Math.min(frame.clientWidth / width, frame.clientHeight / height);
  const scale = fits > 0.8 ? 2 * Math.min(fits, MOST_ENLARGED) : 1;
  picture.style.width = `${scale * width}px`;
  picture.style.height = `${scale * height}px`;
  frame.replaceChildren(picture);
  frame.scrollTo((frame.scrollWidth - frame.clientWidth) / 2, (frame.scrollHeight - frame.clientHeight) / 2);
}

/** Show the part that corresponds to where the mouse is: its left edge shows the left edge of the image. */
function follow(frame: HTMLDivElement, x: number, y: number): void {
  const { left, top, width, height } = frame.getBoundingClientRect();
  frame.scrollTo(
    ((x - left) / width) * (frame.scrollWidth - width),
    ((y - top) / height) * (frame.scrollHeight - height),
  );
}
