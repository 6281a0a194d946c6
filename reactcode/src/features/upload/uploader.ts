// Sends files one after another, a few at a time; what becomes of each is counted. No React.
import * as api from "../../api";
import type { Dropped } from "./dropped";

const AT_ONCE = 3;
const AGAIN_MS = 2_000;
const TIMES = 3;
const EXAMPLES = 5;

export interface Uploading {
  readonly files: number;
  readonly done: number;
  readonly bytes: number;
  readonly sent: number;
  readonly added: number;
  readonly duplicates: number;
  /** What was not taken, and why: the first few. */
  readonly refused: readonly (readonly [string, string])[];
  readonly refusals: number;
  /** What was added and cannot be shown, and why: the first few. */
  readonly unreadable: readonly (readonly [string, string])[];
  readonly unreadables: number;
  readonly isOver: boolean;
}

export const NOTHING: Uploading = {
  files: 0,
  done: 0,
  bytes: 0,
  sent: 0,
  added: 0,
  duplicates: 0,
  refused: [],
  refusals: 0,
  unreadable: [],
  unreadables: 0,
  isOver: true,
};

export class Uploader {
  private state = NOTHING;
  private readonly waiting: Dropped[] = [];
  private readonly onTheirWay = new Map<Dropped, number>();
  private stop = new AbortController();
  private sentBefore = 0;

  constructor(
    private readonly onChange: (state: Uploading) => void,
    private readonly again_ms = AGAIN_MS,
  ) {}

  /** Send these too. */
  add(files: readonly Dropped[]): void {
    if (files.length === 0) return;
    if (this.state.isOver) {
      this.sentBefore = 0;
      this.state = { ...NOTHING, isOver: false };
    }
    this.waiting.push(...files);
    const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
    this.change({ files: this.state.files + files.length, bytes: this.state.bytes + bytes });
    while (this.onTheirWay.size < AT_ONCE && this.waiting.length > 0) void this.next();
  }

  /** Leave out what has not been sent yet. */
  cancel(): void {
    this.waiting.length = 0;
    this.stop.abort();
    this.stop = new AbortController();
  }

  private async next(): Promise<void> {
    const dropped = this.waiting.shift();
    if (dropped === undefined) return;
    this.onTheirWay.set(dropped, 0);
    const { signal } = this.stop;
    try {
      this.count(await this.send(dropped, signal));
    } catch (error) {
      if (!signal.aborted) this.refuse(dropped.name, error instanceof Error ? error.message : String(error));
    }
    this.onTheirWay.delete(dropped);
    this.sentBefore += dropped.file.size;
    const isOver = this.waiting.length === 0 && this.onTheirWay.size === 0;
    this.change({ done: this.state.done + 1, sent: this.sent(), isOver });
    await this.next();
  }

  private async send(dropped: Dropped, signal: AbortSignal): Promise<api.Uploaded> {
    for (let time = 1; ; time += 1) {
      try {
        return await api.upload(dropped.file, dropped.name, signal, (sent) => {
          this.onTheirWay.set(dropped, sent);
          this.change({ sent: this.sent() });
        });
      } catch (error) {
        const mayPass = error instanceof api.Away || (error instanceof api.Refused && error.status === 503);
        if (!mayPass || time === TIMES || signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, this.again_ms));
      }
    }
  }

  private sent(): number {
    return this.sentBefore + [...this.onTheirWay.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  private count({ added, duplicates, refused, unreadable }: api.Uploaded): void {
    this.change({
      added: this.state.added + added.files,
      duplicates: this.state.duplicates + duplicates.files,
      refusals: this.state.refusals + refused.files,
      refused: [...this.state.refused, ...Object.entries(refused.first)].slice(0, EXAMPLES),
      unreadables: this.state.unreadables + unreadable.files,
      unreadable: [...this.state.unreadable, ...Object.entries(unreadable.first)].slice(0, EXAMPLES),
    });
  }

  private refuse(name: string, reason: string): void {
    const refused = [...this.state.refused, [name, reason] as const].slice(0, EXAMPLES);
    this.change({ refusals: this.state.refusals + 1, refused });
  }

  private change(some: Partial<Uploading>): void {
    this.state = { ...this.state, ...some };
    this.onChange(this.state);
  }
}
