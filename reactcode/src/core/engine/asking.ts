// When the page asks the server for images, and for how many.
import { AHEAD } from "../images";
import { countImages, imagesWaiting, type State } from "../session";

const PAUSE_MS = 200;
const AGAIN_MS = 3_000; // after a reply with nothing new, or none
const MOST = 100;

/** Asks soon after something made it necessary, and never twice at once. */
export class Asking {
  private isAsking = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private due = Infinity;

  /** `ask` puts the question, and resolves to whether more should have come. */
  constructor(private readonly ask: () => Promise<boolean>) {}

  soon(pause_ms = PAUSE_MS): void {
    const due = performance.now() + pause_ms;
    if (this.due <= due) return;
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => {
      this.due = Infinity;
      void this.now();
    }, pause_ms);
  }

  /** Asks again after a while, when others may have handed images back or the server may answer. */
  later(): void {
    this.soon(AGAIN_MS);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private async now(): Promise<void> {
    if (this.isAsking) return this.soon();
    this.isAsking = true;
    const isShort = await this.ask();
    this.isAsking = false;
    if (isShort) this.later();
  }
}

/** How many images the page wants to hold: the one shown and those ahead, or two grids. */
function inHand({ grid }: State): number {
  return Math.max(AHEAD + 1, grid.isOpen ? 2 * grid.size : 0);
}

/** How many images to ask for: plus those in the outbox, which the server still takes for open. */
export function countFor(state: State): number {
  return Math.min(inHand(state) + state.waiting, MOST);
}

/** Whether the page holds fewer images than it could. */
export function isShort(state: State, left: number): boolean {
  return state.queue.length < inHand(state) && left > countImages(state.queue) + imagesWaiting(state);
}

const KEEP_LEAST = 2;
const SPARE_MS = 50;

/** How many decoded images stay next whatever a newer ranking says, so that its first images can be fetched in time. */
export function keepAhead(fetch_ms: number, interval_ms: number): number {
  const answers = Math.ceil((fetch_ms + SPARE_MS) / interval_ms);
  return Math.min(Math.max(answers + 1, KEEP_LEAST), AHEAD);
}
