// AUTO's speed, in images a second.

export const SPEED = { least: 0.2, most: 10, first: 1 } as const;
const SPEEDS = [0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 10];

/** The next speed up (1) or down (-1). */
export function nextSpeed(speed: number, direction: 1 | -1): number {
  const next = direction === 1 ? SPEEDS.find((s) => s > speed) : SPEEDS.findLast((s) => s < speed);
  return next ?? speed;
}
