// One past answer's image, as large as there is room.
import { useState } from "react";
import { pictureAddress, type Answered } from "../api";
import { sizeFor } from "../core/images";
import { named } from "../core/words";

interface Props {
  readonly answer: Answered;
  /** It is on the screen. */
  readonly onLoad?: () => void;
}

export function LargeImage({ answer, onLoad }: Props) {
  const [isBroken, setBroken] = useState(false);
  const address = addressOf(answer);
  if (address === null) return <p>The file is gone.</p>;
  if (isBroken) return <p>This image cannot be shown.</p>;
  return (
    <img
      src={address}
      alt={named(answer.path)}
      draggable={false}
      onLoad={onLoad}
      onError={() => setBroken(true)}
    />
  );
}

function addressOf({ image, version }: Answered): string | null {
  const size_px = sizeFor(window.innerWidth, window.innerHeight, window.devicePixelRatio);
  return image === null ? null : pictureAddress({ image, version }, size_px);
}

/** Have the browser fetch a picture that is likely to be looked at next. */
export function fetched(answer: Answered): void {
  const address = addressOf(answer);
  if (address !== null) new Image().src = address;
}
