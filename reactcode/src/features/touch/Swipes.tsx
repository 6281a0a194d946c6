// The answer that a swipe would give; the style sheet shows it as the finger moves.
import type { Status } from "../../api";
import { nameOf } from "../../core/words";
import { Icon } from "../../ui";
import { SWIPES } from "./pointer";

const ICONS = { positive: "positive", negative: "negative", skipped: "skip" } as const;

export function Swipes({ status }: { readonly status: Status | null }) {
  return (
    <div className="swipes" aria-hidden="true">
      {Object.entries(SWIPES).map(([direction, label]) => (
        <p key={direction} className={direction}>
          <Icon name={ICONS[label]} />
          <span>{label === "skipped" ? "skip" : nameOf(status, label)}</span>
        </p>
      ))}
    </div>
  );
}
