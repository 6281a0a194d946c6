// Images fetched and decoded ahead, so that the next one is there when a key is pressed.
import { picture, Refused, type Queued } from "../../api";
import { keyOf } from "../session";

const SIZES_PX = [320, 480, 640, 960, 1280, 1920, 2560] as const;

/** The smallest size that fills a stage of the given CSS pixels sharply. */
export function sizeFor(width: number, height: number, pixelRatio: number): number {
  const needed_px = Math.max(width, height) * Math.min(pixelRatio, 2);
  return SIZES_PX.find((size_px) => size_px >= needed_px) ?? 2560;
}

export interface PreloadEvents {
  /** null asks for the files as they are. */
  size_px(): number | null;
  onDecoded(queued: Queued): void;
  onUnreadable(queued: Queued): void;
  onTrouble(error: unknown): void;
}

interface Slot {
  readonly queued: Queued;
  readonly element: HTMLImageElement;
  state: "idle" | "loading" | "waiting" | "decoded" | "unreadable";
  attempts: number; // how often loading it failed
  failures: number; // how often the server answered that it cannot give it
  abort: AbortController | null;
  timer?: ReturnType<typeof setTimeout>;
}

const AT_ONCE = 4; // the browser opens six connections; events, answers and questions need the others
const SPARE = 28; // decoded pictures kept for undo, for walking back and for the grid
const FIRST_PAUSE_MS = 300;
const MOST_FAILURES = 4; // after so many refusals the picture is given up
const LONGEST_PAUSE_MS = 8_000;
const FETCHES_KEPT = 16;

export class Preload {
  private slots = new Map<string, Slot>(); // the least recently used first
  private wanted: readonly string[] = [];
  private fetches_ms: readonly number[] = []; // how long the last pictures took

  /** `spare`: so many decoded pictures are kept after use. */
  constructor(
    private readonly events: PreloadEvents,
    private readonly spare = SPARE,
  ) {}

  /** The decoded picture, to be put into the page as it is. */
  element(queued: Queued): HTMLImageElement | null {
    const slot = this.slots.get(keyOf(queued));
    return slot?.state === "decoded" ? slot.element : null;
  }

  /** Whether pictures are on their way. */
  get isBusy(): boolean {
    return [...this.slots.values()].some(({ state }) => state === "loading");
  }

  /** How long a picture takes to arrive: the 90th percentile of the last ones. */
  get fetch_ms(): number {
    const sorted = [...this.fetches_ms].sort((a, b) => a - b);
    return sorted[Math.floor(0.9 * sorted.length)] ?? 0;
  }

  /** Load these, in this order; whatever else is being loaded stops. */
  want(images: readonly Queued[]): void {
    this.wanted = images.map(keyOf);
    for (const queued of images) {
      const key = keyOf(queued);
      const slot = this.slots.get(key) ?? newSlot(queued);
      this.slots.delete(key);
      this.slots.set(key, slot);
    }
    this.dropRest();
    this.loadNext();
  }

  /** Retry now what waits for the server. */
  hurry(): void {
    for (const slot of this.slots.values()) {
      if (slot.state !== "waiting") continue;
      clearTimeout(slot.timer);
      slot.state = "idle";
    }
    this.loadNext();
  }

  close(): void {
    for (const [key, slot] of this.slots) this.drop(key, slot);
    this.wanted = [];
  }

  private dropRest(): void {
    const wanted = new Set(this.wanted);
    let spare = this.slots.size - wanted.size;
    for (const [key, slot] of this.slots) {
      if (wanted.has(key)) continue;
      if (slot.state !== "decoded" || spare > this.spare) this.drop(key, slot);
      spare -= 1;
    }
  }

  private drop(key: string, slot: Slot): void {
    clearTimeout(slot.timer);
    slot.abort?.abort();
    this.slots.delete(key);
    if (slot.element.src) URL.revokeObjectURL(slot.element.src);
  }

  private loadNext(): void {
    let busy = [...this.slots.values()].filter((slot) => slot.state === "loading").length;
    for (const key of this.wanted) {
      const slot = this.slots.get(key);
      if (busy >= AT_ONCE) return;
      if (slot?.state !== "idle") continue;
      busy += 1;
      void this.load(key, slot);
    }
  }

  private async load(key: string, slot: Slot): Promise<void> {
    slot.state = "loading";
    slot.abort = new AbortController();
    const began = performance.now();
    let outcome: Slot["state"] | Error;
    try {
      const { blob, damage } = await picture(slot.queued, this.events.size_px(), slot.abort.signal);
      slot.element.dataset.damage = damage;
      outcome = await decode(slot.element, blob);
    } catch (error) {
      outcome = this.isHopeless(slot, error) ? "unreadable" : (error as Error);
    }
    if (this.slots.get(key) !== slot) return; // it is not wanted any more
    if (outcome instanceof Error) this.retryLater(slot, outcome);
    else slot.state = outcome;
    if (outcome === "decoded")
      this.fetches_ms = [...this.fetches_ms.slice(1 - FETCHES_KEPT), performance.now() - began];
    if (outcome === "decoded") this.events.onDecoded(slot.queued);
    if (outcome === "unreadable") this.events.onUnreadable(slot.queued);
    this.loadNext();
  }

  private isHopeless(slot: Slot, error: unknown): boolean {
    if (!(error instanceof Refused) || error.status === 401) return false;
    slot.failures += 1;
    return [404, 415].includes(error.status) || slot.failures >= MOST_FAILURES;
  }

  private retryLater(slot: Slot, error: Error): void {
    slot.state = "waiting";
    slot.attempts += 1;
    const pause_ms = Math.min(FIRST_PAUSE_MS * 2 ** slot.attempts, LONGEST_PAUSE_MS);
    slot.timer = setTimeout(() => {
      slot.state = "idle";
      this.loadNext();
    }, pause_ms);
    this.events.onTrouble(error);
  }
}

function newSlot(queued: Queued): Slot {
  const element = new Image();
  element.alt = "the image to answer";
  element.draggable = false;
  return { queued, element, state: "idle", attempts: 0, failures: 0, abort: null };
}

async function decode(element: HTMLImageElement, blob: Blob): Promise<"decoded" | "unreadable"> {
  element.src = URL.createObjectURL(blob);
  try {
    await element.decode();
    return "decoded";
  } catch {
    URL.revokeObjectURL(element.src);
    element.removeAttribute("src");
    return "unreadable"; // all bytes have arrived, but they are not a picture
  }
}
