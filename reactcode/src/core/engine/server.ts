// The server as the engine sees it: whether it is there, what it asks next, and the answers on their way to it.
import * as api from "../../api";
import { Away, Refused, type Annotation, type Status } from "../../api";
import { kindOf, type Pace } from "../auto";
import { openKept } from "../browser";
import type { Pictures } from "../images";
import { imagesOf, type State } from "../session";
import { counted } from "../words";
import { Asking, countFor, isShort, keepAhead } from "./asking";
import { Outbox, type Outgoing } from "./outbox";
import type { Store } from "./store";

const STUCK = { waiting: 3, after_ms: 2_000 };
const HELD_AFTER_MS = 5_000;

interface Parts {
  readonly pictures: Pictures;
  readonly pace: Pace;
  /** Every status that comes. */
  readonly onStatus: (status: Status) => void;
  /** The server serves another run on the same address by now. */
  readonly onOtherRun: () => void;
}

export class Server {
  /** Null until the status has named the run. */
  outbox: Outbox | null = null;
  private opening: Promise<void> | null = null;
  private inDoubt = false; // whether the server may serve another run by now
  private stuckTimer: ReturnType<typeof setTimeout> | undefined;
  private heldTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly asking = new Asking(() => this.ask());

  constructor(
    private readonly store: Store,
    private readonly parts: Parts,
  ) {}

  /** Begin; the returned function ends everything. */
  start(): () => void {
    const onLeft = () => {
      if (this.outbox?.waiting === 0) api.release(this.store.client); // images with unsent answers stay ours
    };
    const onBack = (event: PageTransitionEvent) => {
      if (event.persisted) this.askAnew();
    };
    window.addEventListener("pagehide", onLeft);
    window.addEventListener("pageshow", onBack);
    this.askAnew();
    const stopEvents = api.events(
      (status) => this.onStatus(status),
      () => void this.onEventsAway(),
    );
    return () => {
      stopEvents();
      window.removeEventListener("pagehide", onLeft);
      window.removeEventListener("pageshow", onBack);
      this.asking.close();
      clearTimeout(this.stuckTimer);
      clearTimeout(this.heldTimer);
      this.outbox?.close();
    };
  }

  /** What follows from a change of state. */
  follow(state: State, before: State): void {
    if (state.grid.size !== before.grid.size || state.grid.isOpen !== before.grid.isOpen) this.askAnew();
    if (state.link === "here" && before.link === "away") this.hurry();
    if (state.waiting !== before.waiting) {
      this.watchStuck();
      this.watchHeld(state.waiting < before.waiting);
    }
  }

  /** Answers are on their way from here on, whatever happens to the page. */
  send(outgoing: readonly Outgoing[]): void {
    this.outbox?.add(...outgoing);
    this.askSoon();
  }

  /** The order of the questions has changed. */
  askAnew(): void {
    this.asking.soon(0);
  }

  /** Something may have changed what is asked next. */
  askSoon(): void {
    this.asking.soon();
  }

  /** Look at the status now. */
  async refresh(): Promise<void> {
    this.onStatus(await api.status());
  }

  /** Look at the status for the first time; what the stream has told meanwhile is newer. */
  private async begin(): Promise<void> {
    const status = await api.status();
    if (this.store.state.status === null) this.onStatus(status);
  }

  /** Whatever failed, find out from it whether the server is still there. */
  heed(error: unknown): void {
    if (isLost(error)) this.onLost(error); // else the server is there, and said no to one request
  }

  // --- is it there ---------------------------------------------------------------------------------------------------

  private onStatus(status: Status): void {
    const before = this.store.state.status;
    if (before !== null && status.id !== before.id) {
      this.parts.onOtherRun(); // its images have other numbers
      return;
    }
    this.inDoubt = false;
    this.store.dispatch({ type: "status", status });
    this.opening ??= this.openOutbox(status);
    const isNewRanking = (status.ranking?.generation ?? null) !== this.store.state.ranking;
    if (isNewRanking || isShort(this.store.state, status.left)) this.askSoon();
    this.parts.onStatus(status);
  }

  /** The server is away, or does not know us any more. */
  private onLost(error: unknown): void {
    this.inDoubt = true;
    const unauthorised = error instanceof Refused && error.status === 401;
    this.store.dispatch({ type: "link", link: "away", unauthorised });
    this.asking.later();
  }

  /** The stream of events broke: find out whether the server is away or refuses us. */
  private async onEventsAway(): Promise<void> {
    this.inDoubt = true;
    try {
      await this.refresh();
    } catch (error) {
      this.onLost(error);
    }
  }

  private hurry(): void {
    this.outbox?.hurry();
    this.parts.pictures.hurry();
    this.askSoon();
  }

  // --- answers on their way ------------------------------------------------------------------------------------------

  private async openOutbox({ id }: Status): Promise<void> {
    this.outbox = await Outbox.open(`${id}:`, await openKept(), {
      send: (annotations) => this.transmit(annotations),
      onStored: (stored, counts) => {
        this.store.dispatch({
          type: "stored",
          images: stored.flatMap(imagesFor),
          counts,
        });
      },
      onRefused: ({ annotation, queued }, error) => {
        const { images } = annotation;
        if (images) this.store.dispatch({ type: "unansweredMany", images });
        this.store.dispatch({ type: "refused", queued, sentence: error.message });
        this.askSoon();
      },
      onTrouble: (error) => this.onTrouble(error),
      onChange: (waiting) => this.onWaiting(waiting),
    });
    if (this.outbox.waiting > 0) this.onWaiting(this.outbox.waiting);
  }

  private onWaiting(waiting: number): void {
    const images = this.outbox?.all.flatMap(imagesFor) ?? [];
    this.store.dispatch({ type: "waiting", waiting, images });
  }

  /** Send answers; after trouble make sure first that the server still serves this run. */
  private async transmit(annotations: readonly Annotation[]): Promise<api.BatchAnswer> {
    if (this.inDoubt) {
      await this.refresh();
      if (this.inDoubt) throw new Away("another run");
    }
    const [first] = annotations;
    return first?.images ? this.transmitMany(first, first.images) : api.annotate(annotations);
  }

  private async transmitMany(answer: Annotation, images: readonly number[]): Promise<api.BatchAnswer> {
    const { id, client, label } = answer;
    const { kept, ...stored } = await api.annotateMany({ id, client, label, images });
    if (kept > 0) this.store.note(`${counted(kept, "image", "images")} had an answer by then, which stays.`);
    const { positives, negatives, skipped, left } = stored;
    const image = answer.image;
    return { results: [{ id, image, label, status: 201 }], positives, negatives, skipped, left };
  }

  /** An answer could not be stored; the outbox tries again. */
  private onTrouble(error: unknown): void {
    const trouble = error instanceof Error ? error.message : String(error);
    if (isLost(error)) this.onLost(error);
    else this.store.dispatch({ type: "link", link: "here", trouble });
  }

  private watchStuck(): void {
    const { waiting, stuck } = this.store.state;
    if (waiting <= STUCK.waiting) {
      clearTimeout(this.stuckTimer);
      this.stuckTimer = undefined;
      if (stuck) this.store.dispatch({ type: "stuck", stuck: false });
    } else {
      this.stuckTimer ??= setTimeout(
        () => this.store.dispatch({ type: "stuck", stuck: true }),
        STUCK.after_ms,
      );
    }
  }

  /** Reports when answers wait and none is stored, whatever the reason. */
  private watchHeld(isMoving: boolean): void {
    if (isMoving) {
      clearTimeout(this.heldTimer);
      this.heldTimer = undefined;
    }
    if (this.store.state.waiting === 0) return;
    this.heldTimer ??= setTimeout(() => {
      const isForMany = this.outbox?.all[0]?.annotation.images !== undefined; // that one takes its time
      if (!isForMany) this.store.dispatch({ type: "held", held: true });
    }, HELD_AFTER_MS);
  }

  // --- what it asks next ---------------------------------------------------------------------------------------------

  /** Asks for images; resolves to whether fewer came than remain, because others hold them. */
  private async ask(): Promise<boolean> {
    const { store } = this;
    const { pictures, pace } = this.parts;
    const { tick } = store.state;
    const count = countFor(store.state);
    try {
      if (store.state.status === null) await this.begin();
      await this.opening; // so that every image that is shown can be answered
      const answer = await api.queue(store.client, count);
      const keep = keepAhead(pictures.fetch_ms, pace.interval_ms(kindOf(store.state)));
      store.dispatch({ type: "queue", answer, asked_at: tick, keep });
      pictures.hurry();
      return isShort(store.state, answer.left);
    } catch (error) {
      this.onLost(error);
      return false;
    }
  }
}

/** All images that an answer on its way is for. */
function imagesFor({ annotation, queued }: Outgoing): readonly number[] {
  return annotation.images ?? imagesOf(queued);
}

/** Whether an error means that the server is away or rejects this page, rather than only one request. */
function isLost(error: unknown): boolean {
  return !(error instanceof Refused) || error.status === 401;
}
