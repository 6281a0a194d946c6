// How pictures are shown: contrast, brightness, gamma and inverted; as the browser keeps it, and as CSS.

export interface Look {
  readonly contrast: number; // per cent
  readonly brightness: number; // per cent
  readonly gamma: number; // above 1, the dark parts are lighter
  readonly invert: boolean;
}

export type Part = "contrast" | "brightness" | "gamma";

export const PLAIN: Look = { contrast: 100, brightness: 100, gamma: 1, invert: false };

export const BOUNDS: Readonly<Record<Part, { least: number; most: number; step: number; digits: number }>> = {
  contrast: { least: 20, most: 300, step: 5, digits: 0 },
  brightness: { least: 20, most: 300, step: 5, digits: 0 },
  gamma: { least: 0.2, most: 4, step: 0.1, digits: 1 },
};

/** The kept look, as far as its values are valid. */
export function checkedLook(value: unknown): Look {
  const known = (value ?? {}) as Partial<Record<keyof Look, unknown>>;
  const within = (part: Part) => {
    const { least, most, digits } = BOUNDS[part];
    const given = known[part];
    const isFine = typeof given === "number" && given >= least && given <= most;
    return isFine ? Number(given.toFixed(digits)) : PLAIN[part];
  };
  return {
    contrast: within("contrast"),
    brightness: within("brightness"),
    gamma: within("gamma"),
    invert: known.invert === true,
  };
}

/** A value as a person reads it. */
export function written(part: Part, look: Look): string {
  return part === "gamma" ? look.gamma.toFixed(1) : `${look[part]} %`;
}

export const GAMMA_FILTER = "gamma-filter";

/** The CSS filter; none for a plain look, so that nothing is computed for it. */
export function filterOf({ contrast, brightness, gamma, invert }: Look): string {
  const parts = [
    gamma !== PLAIN.gamma && `url(#${GAMMA_FILTER})`,
    contrast !== PLAIN.contrast && `contrast(${contrast}%)`,
    brightness !== PLAIN.brightness && `brightness(${brightness}%)`,
    invert && "invert(1)",
  ];
  return parts.filter((part) => part !== false).join(" ") || "none";
}
