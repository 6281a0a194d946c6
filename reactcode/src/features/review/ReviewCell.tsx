// One past answer in the review: a small picture, its label, and what the model thinks of it.
import { useState } from "react";
import { pictureAddress } from "../../api";
import { named, origin } from "../../core/words";
import { Mark } from "./Mark";
import { Opinion, opinionOf } from "./Opinion";
import type { Seen } from "./reviewed";

const THUMBNAIL_PX = 320;

interface Props {
  readonly seen: Seen;
  readonly name: string;
  readonly isCurrent: boolean;
  readonly onOpen: () => void;
  readonly onFocus: () => void;
}

export function ReviewCell({ seen, name, isCurrent, onOpen, onFocus }: Props) {
  const { path, label, isChanged } = seen;
  return (
    <li>
      <button
        type="button"
        className="cell"
        data-path={path}
        data-label={label}
        data-changed={isChanged}
        tabIndex={isCurrent ? 0 : -1}
        title={`${named(path)}\n${[opinionOf(seen), origin(seen)].join("\n").trim()}`}
        onClick={onOpen}
        onFocus={onFocus}
      >
        <span className="unseen">{named(path)}</span>
        <span className="thumb">
          <Thumbnail seen={seen} />
          <span className="when">{origin(seen)}</span>
        </span>
        <span className="said">
          <Mark label={label} />
          <span className="name">{name}</span>
          {isChanged && <span className="changed">changed</span>}
        </span>
        <Opinion answer={seen} />
      </button>
    </li>
  );
}

function Thumbnail({ seen: { image, version } }: { readonly seen: Seen }) {
  const [isBroken, setBroken] = useState(false);
  if (image === null) return <span className="none">the file is gone</span>;
  if (isBroken) return <span className="none">cannot be shown</span>;
  return (
    <img
      src={pictureAddress({ image, version }, THUMBNAIL_PX)}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => setBroken(true)}
    />
  );
}
