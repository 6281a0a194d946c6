// The image of a point: small beside the mouse, and large after a click.
import { useRef } from "react";
import { pictureAddress, type MapImage } from "../../api";
import { ANSWER, type Points, UNKNOWN } from "../../core/map";
import { named, percent } from "../../core/words";
import { type Session, Icon, LargeImage, Press, useFocusMeanwhile } from "../../ui";
import { answerNames } from "./plane/Legend";
import type { Pointed } from "./plane/Plane";

const PREVIEW_PX = 320;
const CARD = { width: 212, height: 236, gap: 14 } as const; // as the style sheet has it

/** The answer and the probability of an image, as the points have them. */
function known({ state }: Session, points: Points, image: number): string {
  const answer = answerNames(state.status)[points.answer[image] ?? ANSWER.open] ?? "";
  const value = points.probability[image] ?? UNKNOWN;
  return state.blind || value === UNKNOWN ? answer : `${answer}, ${percent(value / (UNKNOWN - 1))}`;
}

interface PreviewProps {
  readonly session: Session;
  readonly points: Points;
  readonly pointed: Pointed;
  readonly image: MapImage | undefined;
  /** How large the map is on the screen. */
  readonly size: { readonly width: number; readonly height: number };
}

export function Preview({ session, points, pointed, image, size }: PreviewProps) {
  const { x, y } = pointed.at;
  const isLeft = x + CARD.gap + CARD.width > size.width;
  const left = isLeft ? Math.max(0, x - CARD.gap - CARD.width) : x + CARD.gap;
  const top = Math.min(Math.max(0, y - CARD.height / 2), Math.max(0, size.height - CARD.height));
  return (
    <figure className="preview" id="map-preview" data-image={pointed.image} style={{ left, top }}>
      <span className="frame">
        {image && <img src={pictureAddress(image, PREVIEW_PX)} alt={named(image.path)} draggable={false} />}
      </span>
      <figcaption>
        <span className="name">{image ? named(image.path) : " "}</span>
        <span className="quiet">{known(session, points, pointed.image)}</span>
      </figcaption>
    </figure>
  );
}

interface LargeProps {
  readonly session: Session;
  readonly points: Points;
  readonly number: number;
  readonly image: MapImage | undefined;
  readonly onClose: () => void;
}

export function Large({ session, points, number, image, onClose }: LargeProps) {
  const host = useRef<HTMLDivElement>(null);
  useFocusMeanwhile(host);
  return (
    <div
      className="large"
      id="map-large"
      role="group"
      aria-label={image ? named(image.path) : "Image"}
      ref={host}
      tabIndex={-1}
      onClick={onClose}
    >
      <div className="large-frame">
        {image && <LargeImage answer={{ ...image, label: image.label ?? "skipped" }} />}
      </div>
      <p>
        <span className="name">{image && named(image.path)}</span>
        <span className="quiet">{known(session, points, number)}</span>
      </p>
      <Press className="plain" aria-label="Back to the map" title="Back to the map (Esc)" onClick={onClose}>
        <Icon name="close" />
      </Press>
    </div>
  );
}
