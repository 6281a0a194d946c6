// Answers on their way to the server: in order, again until stored, kept over a reload.
import { Refused, type Annotation, type BatchAnswer, type Counts, type Queued } from "../../api";
import type { Kept } from "../browser";

export interface Outgoing {
  readonly annotation: Annotation;
  readonly queued: Queued; // so that the image can be shown again when its answer is taken back
}

export interface OutboxEvents {
  send(annotations: readonly Annotation[]): Promise<BatchAnswer>;
  onStored(stored: readonly Outgoing[], counts: Counts): void;
  /** The server will never take this answer; it is dropped. */
  onRefused(outgoing: Outgoing, error: Refused): void;
  /** An attempt failed and will be repeated. */
  onTrouble(error: unknown): void;
  onChange(waiting: number): void;
}

const MOST_AT_ONCE = 50;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;

interface Entry extends Outgoing {
  readonly key: string;
  mayBeThere: boolean; // it was sent once, and the server has not said yet whether it has it
}

export class Outbox {
  private readonly entries: Entry[];
  private isSending = false;
  private isDoubtful = false; // the last attempt failed: send one at a time, so that the others can still be taken back
  private isRefused = false; // a batch was refused: send its answers one by one, so that the good ones are stored
  private pause_ms = FIRST_PAUSE_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isWaiting = false;
  private isClosed = false;
  private serial = 0;
  private onIdle: ((stored: boolean) => void)[] = [];

  private constructor(
    private readonly prefix: string,
    private readonly kept: Kept,
    private readonly events: OutboxEvents,
    left: readonly (readonly [string, unknown])[],
  ) {
    this.entries = left.flatMap(([key, value]) => this.adopted(key, value));
  }

  /**
   * Open it with what an earlier page left behind, and begin to send.
   *
   * @param prefix of the keys; it must name the run, so that no answer goes to another one.
   */
  static async open(prefix: string, kept: Kept, events: OutboxEvents): Promise<Outbox> {
    const outbox = new Outbox(prefix, kept, events, await kept.all(prefix));
    void outbox.sendNext();
    return outbox;
  }

  get waiting(): number {
    return this.entries.length;
  }

  get all(): readonly Outgoing[] {
    return this.entries;
  }

  add(...outgoing: readonly Outgoing[]): void {
    for (const one of outgoing) {
      const entry = { ...one, key: this.keyFor(one.annotation.id), mayBeThere: false };
      this.kept.put(entry.key, one);
      this.entries.push(entry);
    }
    this.events.onChange(this.waiting);
    void this.sendNext();
  }

  /** Takes the last answer, or the last group, out again; null where there is none, or any of it may have been sent. */
  takeBack(): readonly Outgoing[] | null {
    const last = this.entries.at(-1);
    if (last === undefined) return null;
    const { id, group } = last.annotation;
    const together = this.entries.filter(
      ({ annotation }) => (annotation.group ?? annotation.id) === (group ?? id),
    );
    if (together.some((entry) => entry.mayBeThere)) return null;
    this.forget(together);
    return together;
  }

  /** Resolves to true once everything is stored, to false once an attempt fails. */
  idle(): Promise<boolean> {
    if (this.waiting === 0) return Promise.resolve(true);
    return new Promise((resolve) => this.onIdle.push(resolve));
  }

  /** Try again now rather than when the pause is over. */
  hurry(): void {
    if (!this.isWaiting) return;
    clearTimeout(this.timer);
    this.isWaiting = false;
    void this.sendNext();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  /** A key that sorts in the order answered, also after what an earlier page left behind. */
  private keyFor(id: string): string {
    const time = Date.now().toString(36).padStart(9, "0");
    return `${this.prefix}${time}.${String(this.serial++).padStart(6, "0")}.${id}`;
  }

  private adopted(key: string, value: unknown): Entry[] {
    const outgoing = value as Partial<Outgoing> | undefined;
    if (typeof outgoing?.annotation?.id === "string" && outgoing.queued)
      return [{ annotation: outgoing.annotation, queued: outgoing.queued, key, mayBeThere: true }];
    this.kept.remove(key); // it cannot be sent in any way
    return [];
  }

  private forget(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.entries.splice(this.entries.indexOf(entry), 1);
      this.kept.remove(entry.key);
    }
    this.events.onChange(this.waiting);
  }

  /** The oldest answers; a group is never split, so that undo takes it back as a whole; one to many images goes alone. */
  private nextBatch(): readonly Entry[] {
    if (this.isRefused || this.entries[0]?.annotation.images) return this.entries.slice(0, 1);
    const groupAt = (place: number) => this.entries[place]?.annotation.group;
    let end = this.isDoubtful ? 1 : MOST_AT_ONCE;
    while (groupAt(end) !== undefined && groupAt(end) === groupAt(end - 1)) end += 1;
    const many = this.entries.findIndex(({ annotation }) => annotation.images);
    return this.entries.slice(0, many < 0 ? end : Math.min(end, many));
  }

  private async sendNext(): Promise<void> {
    const batch = this.nextBatch();
    if (batch.length === 0 || this.isWaiting || this.isClosed || this.isSending) return;
    this.isSending = true;
    for (const entry of batch) entry.mayBeThere = true;
    try {
      this.settle(batch, await this.events.send(batch.map(({ annotation }) => annotation)));
    } catch (error) {
      this.onFailure(batch, error);
    } finally {
      this.isSending = false;
    }
    if (this.waiting === 0) this.release(true);
    void this.sendNext();
  }

  private settle(batch: readonly Entry[], { results, ...counts }: BatchAnswer): void {
    this.pause_ms = FIRST_PAUSE_MS;
    this.isDoubtful = this.isRefused = false;
    const refused = new Map(results.flatMap((one) => (one.status === 201 ? [] : [[one.id, one] as const])));
    this.forget(batch);
    this.events.onStored(
      batch.filter(({ annotation }) => !refused.has(annotation.id)),
      counts,
    );
    for (const entry of batch) {
      const one = refused.get(entry.annotation.id);
      if (one) this.events.onRefused(entry, new Refused(one.status, one.detail));
    }
  }

  /** A batch that is refused as a whole is sent one by one: the good ones in it are stored. */
  private onFailure(batch: readonly Entry[], error: unknown): void {
    if (!(error instanceof Refused) || error.mayPass) return this.waitAndRetry(error);
    if (batch.length > 1) {
      this.isRefused = true;
      return;
    }
    this.isRefused = false;
    this.forget(batch);
    for (const entry of batch) this.events.onRefused(entry, error);
  }

  private waitAndRetry(error: unknown): void {
    this.isDoubtful = true;
    this.events.onTrouble(error);
    this.release(false);
    if (this.isClosed) return;
    this.isWaiting = true;
    this.timer = setTimeout(() => {
      this.isWaiting = false;
      void this.sendNext();
    }, this.pause_ms);
    this.pause_ms = Math.min(2 * this.pause_ms, LONGEST_PAUSE_MS);
  }

  private release(stored: boolean): void {
    const waiting = this.onIdle;
    this.onIdle = [];
    for (const resolve of waiting) resolve(stored);
  }
}
