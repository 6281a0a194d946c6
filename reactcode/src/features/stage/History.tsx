// The last answers as a slim strip beside the picture, newest first; a click shows one at full size.
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { pictureAddress } from "../../api";
import type { Engine } from "../../core/engine";
import type { Past } from "../../core/session";
import { named, nameOf } from "../../core/words";
import { type Session, Icon, Press } from "../../ui";

const MOST = 12;
const PITCH_PX = 52; // a thumbnail and the gap after it, as in grid.css
const THUMBNAIL_PX = 128;

export function History({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const { past, place, status } = state;
  const host = useRef<HTMLElement>(null);
  const fitting = useFitting(host);
  const isReady = status !== null && state.asked;
  useEffect(() => {
    if (isReady) engine.history.recall();
  }, [engine, isReady]);
  const first = place === null ? 0 : Math.max(0, place - fitting + 1);
  return (
    <aside id="history" className="history" aria-label="Last answers" ref={host}>
      {past.slice(first, first + fitting).map((entry, n) => (
        <Press
          key={entry.image}
          className={`thumbnail ${entry.label}`}
          aria-label={`${named(entry.path)}: ${nameOf(status, entry.label)}${isTimeout(entry) ? ", by AUTO" : ""}`}
          aria-current={first + n === place}
          title={`${named(entry.path)}: ${nameOf(status, entry.label)}${isTimeout(entry) ? " (AUTO)" : ""}`}
          data-image={entry.image}
          data-timeout={isTimeout(entry)}
          onClick={() => engine.dispatch({ type: "visit", image: entry.image })}
        >
          <Thumbnail entry={entry} engine={engine} />
          <span className="badge">
            <Icon name={iconOf(entry)} />
          </span>
        </Press>
      ))}
    </aside>
  );
}

function isTimeout({ source }: Past): boolean {
  return source === "timeout";
}

function iconOf(entry: Past) {
  if (isTimeout(entry)) return "clock";
  return entry.label === "skipped" ? "skip" : entry.label;
}

/** How many thumbnails have room along the longer side of the strip. */
function useFitting(host: React.RefObject<HTMLElement | null>): number {
  const [fitting, setFitting] = useState(MOST);
  useLayoutEffect(() => {
    const measure = () => {
      const { clientWidth = 0, clientHeight = 0 } = host.current ?? {};
      const room_px = Math.max(clientWidth, clientHeight);
      if (room_px > 0) setFitting(Math.min(MOST, Math.floor(room_px / PITCH_PX)));
    };
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, [host]);
  return fitting;
}

interface ThumbnailProps {
  readonly entry: Past;
  readonly engine: Engine;
}

/** Drawn from the picture if it is still loaded; else a small one is fetched. */
function Thumbnail({ entry, engine }: ThumbnailProps) {
  const [isHere] = useState(() => engine.pictures.small(entry) !== null);
  const [drawn, setDrawn] = useState<string | null>(null);
  useEffect(() => {
    const picture = isHere ? engine.pictures.small(entry) : null;
    if (picture === null) return;
    let address: string | null = null;
    let isGone = false;
    draw(picture).toBlob((blob) => {
      if (blob === null || isGone) return;
      address = URL.createObjectURL(blob);
      setDrawn(address);
    }, "image/jpeg");
    return () => {
      isGone = true;
      if (address !== null) URL.revokeObjectURL(address);
    };
  }, [engine, entry, isHere]);
  if (isHere) return drawn && <img src={drawn} alt="" draggable={false} data-drawn="" />;
  return <img src={pictureAddress(entry, THUMBNAIL_PX)} alt="" loading="lazy" draggable={false} />;
}

/** The middle of the picture, as a square. */
function draw(picture: HTMLImageElement): HTMLCanvasElement {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const side = Math.min(width, height);
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = THUMBNAIL_PX;
  canvas.getContext("2d")?.drawImage(picture, left, top, side, side, 0, 0, THUMBNAIL_PX, THUMBNAIL_PX);
  return canvas;
}
