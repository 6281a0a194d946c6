// Answers on their way to the server: in order, one at a time, again until stored, kept over a reload.
import { Refused, type Annotation, type Counts, type Queued } from "./api";
import type { Storage } from "./storage";

export interface Outgoing {
  readonly annotation: Annotation;
  readonly queued: Queued; // so that the image can be shown again when its answer is taken back
}

export interface OutboxEvents {
  send(annotation: Annotation): Promise<Counts>;
  onStored(outgoing: Outgoing, counts: Counts): void;
  /** The server will never take this answer; it is dropped. */
  onRefused(outgoing: Outgoing, error: Refused): void;
  /** An attempt failed and will be repeated. */
  onTrouble(error: unknown): void;
  onChange(waiting: number): void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;

interface Entry extends Outgoing {
  readonly key: string;
  mayBeThere: boolean; // it was sent once; nobody knows whether the server has it until it says so
}

export class Outbox {
  private readonly entries: Entry[] = [];
  private isSending = false;
  private pause_ms = FIRST_PAUSE_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isWaiting = false;
  private isClosed = false;
  private serial = 0;
  private onIdle: ((stored: boolean) => void)[] = [];

  /**
   * @param prefix of the storage keys; it must name the run, so that no answer goes to another one.
   */
  constructor(
    private readonly prefix: string,
    private readonly storage: Storage,
    private readonly events: OutboxEvents,
  ) {
    const keys = storage.keys().filter((key) => key.startsWith(prefix));
    for (const key of keys.sort()) this.adopt(key);
  }

  get waiting(): number {
    return this.entries.length;
  }

  get all(): readonly Outgoing[] {
    return this.entries;
  }

  /** Begin to send what an earlier page left behind. */
  start(): void {
    if (this.waiting > 0) this.events.onChange(this.waiting);
    void this.sendNext();
  }

  add(outgoing: Outgoing): void {
    const place = `${Date.now().toString(36).padStart(9, "0")}.${String(this.serial++).padStart(6, "0")}`;
    const entry = { ...outgoing, key: `${this.prefix}${place}.${outgoing.annotation.id}`, mayBeThere: false };
    this.storage.write(entry.key, JSON.stringify(outgoing));
    this.entries.push(entry);
    this.events.onChange(this.waiting);
    void this.sendNext();
  }

  /** Take the last answer out again; null when it is already on its way (or there is none). */
  takeBack(): Outgoing | null {
    const last = this.entries.at(-1);
    if (last === undefined || last.mayBeThere) return null;
    this.forget(last);
    return last;
  }

  /** Wait until all is stored: true; or until an attempt fails: false. */
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

  private adopt(key: string): void {
    try {
      const outgoing = JSON.parse(this.storage.read(key) ?? "") as Outgoing;
      if (typeof outgoing.annotation.id !== "string") throw new TypeError("no id");
      this.entries.push({ ...outgoing, key, mayBeThere: true });
    } catch {
      this.storage.remove(key); // nothing that could ever be sent
    }
  }

  private forget(entry: Entry): void {
    this.entries.splice(this.entries.indexOf(entry), 1);
    this.storage.remove(entry.key);
    this.events.onChange(this.waiting);
  }

  private async sendNext(): Promise<void> {
    const entry = this.entries[0];
    if (entry === undefined || this.isWaiting || this.isClosed || this.isSending) return;
    this.isSending = true;
    entry.mayBeThere = true;
    try {
      const counts = await this.events.send(entry.annotation);
      this.settle(entry);
      this.events.onStored(entry, counts);
    } catch (error) {
      if (error instanceof Refused && !error.mayPass) {
        this.settle(entry);
        this.events.onRefused(entry, error);
      } else {
        this.waitAndRetry(error);
      }
    } finally {
      this.isSending = false;
    }
    if (this.waiting === 0) this.release(true);
    void this.sendNext();
  }

  private settle(entry: Entry): void {
    this.pause_ms = FIRST_PAUSE_MS;
    this.forget(entry);
  }

  private waitAndRetry(error: unknown): void {
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
