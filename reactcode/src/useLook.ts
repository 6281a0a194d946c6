// How pictures are shown: contrast and brightness, kept between images and visits.
import { useState } from "react";
import { keep, kept } from "./storage";

export interface Look {
  readonly contrast: number; // per cent
  readonly brightness: number;
}

export const PLAIN: Look = { contrast: 100, brightness: 100 };

function checked(value: unknown): Look {
  const { contrast, brightness } = (value ?? {}) as Partial<Record<keyof Look, unknown>>;
  const within = (part: unknown) =>
    typeof part === "number" && part >= 20 && part <= 300 ? Math.round(part) : 100;
  return { contrast: within(contrast), brightness: within(brightness) };
}

export function useLook(): { look: Look; setLook: (look: Look) => void } {
  const [look, set] = useState(() => kept("ia:look", checked));
  const setLook = (next: Look) => {
    set(next);
    keep("ia:look", next);
  };
  return { look, setLook };
}

/** The CSS filter; none for a plain look, so that nothing is computed for it. */
export function filterOf(look: Look): string {
  const { contrast, brightness } = look;
  return contrast === 100 && brightness === 100
    ? "none"
    : `contrast(${contrast}%) brightness(${brightness}%)`;
}
