// The page without its face: joins the reducer to the server, the outbox, the preloader and the clocks.
import * as api from "../../api";
import { Away, Refused, type Annotation, type Queued, type Source, type Status } from "../../api";
import { Autopilot, kindOf, Pace } from "../auto";
import { openKept, afterPaint, clientId, keep, kept, newId } from "../browser";
import { Pictures } from "../images";
import {
  alikeOf,
  copiesAtEnd,
  countImages,
  imagesOf,
  imagesWaiting,
  asksFirst,
  checkedSize,
  gridAnswers,
  isGridShown,
  checkedLook,
  reduce,
  autoRuns,
  canAnswer,
  PAUSED,
  shownOf,
  START,
  type Panel,
  type Past,
  type State,
  type Step,
  keyOf,
} from "../session";
import { noun } from "../words";
import { Asking, countFor, isShort, keepAhead } from "./asking";
import { Liking } from "./liking";
import { Outbox, type Outgoing } from "./outbox";

const PAST_PAGE = 50;
const PAST_AHEAD = 15; // so many answers before the last one known, older ones are asked for
const STUCK = { waiting: 3, after_ms: 2_000 };
const HELD_AFTER_MS = 5_000;
const WRONG_TOKEN = "The link is not valid any more; open the link printed in the terminal.";

type ShowOnStage = (shown: Queued, picture: HTMLImageElement, state: State) => void;

export class Engine {
  state: State = START;
  readonly client = clientId();
  private onStage: ShowOnStage | null = null;
  private isShowing = false; // a picture has been put there, and is not painted yet
  private readonly listeners = new Set<() => void>();
  private readonly pictures = new Pictures({
    onDecoded: (queued) => this.dispatch({ type: "decoded", queued }),
    onUnreadable: (queued) => this.dispatch({ type: "unreadable", queued }),
    onTrouble: (error) => {
      if (isLost(error)) this.onLost(error); // any other trouble with one picture is only retried
    },
  });
  private readonly asking = new Asking(() => this.ask());
  private outbox: Outbox | null = null;
  private opening: Promise<void> | null = null;
  private undosWaiting = 0;
  private returnsToFinish = false; // once the random questions are answered that were asked for there
  private inDoubt = false; // whether the server may have become another run's
  private stuckTimer: ReturnType<typeof setTimeout> | undefined;
  private heldTimer: ReturnType<typeof setTimeout> | undefined;
  private loadingPast: Promise<void> | null = null;
  private splitting: Promise<void> | null = null; // not known to the server yet
  readonly pace = new Pace();
  readonly autopilot = new Autopilot(this);
  readonly liking = new Liking(this);

  constructor(private readonly onOtherRun: () => void = () => window.location.reload()) {}

  /** Begin; the returned function ends everything. */
  start(): () => void {
    this.dispatch({ type: "speed", speed: kept("ia:speed", (value) => Number(value) || START.speed) });
    this.dispatch({ type: "look", look: kept("ia:look", checkedLook) });
    this.dispatch({ type: "blind", blind: kept("ia:blind", (value) => value === true) });
    this.dispatch({ type: "gridSize", size: kept("ia:grid", checkedSize) });
    const onVisible = () =>
      this.dispatch({ type: "visible", visible: document.visibilityState === "visible" });
    const onSign = () => {
      this.autopilot.sign();
      this.pace.sign(performance.now());
    };
    document.addEventListener("visibilitychange", onVisible);
    const onLeft = () => {
      if (this.outbox?.waiting === 0) api.release(this.client); // else the server has to know what was asked here
    };
    const onBack = (event: PageTransitionEvent) => {
      if (event.persisted) this.askAnew();
    };
    for (const sign of SIGNS) window.addEventListener(sign, onSign, { passive: true });
    window.addEventListener("pagehide", onLeft);
    window.addEventListener("pageshow", onBack);
    onVisible();
    this.asking.soon(0);
    const stopEvents = api.events(
      (status) => this.onStatus(status),
      () => void this.onEventsAway(),
    );
    return () => {
      stopEvents();
      document.removeEventListener("visibilitychange", onVisible);
      for (const sign of SIGNS) window.removeEventListener(sign, onSign);
      window.removeEventListener("pagehide", onLeft);
      window.removeEventListener("pageshow", onBack);
      this.asking.close();
      clearTimeout(this.stuckTimer);
      clearTimeout(this.heldTimer);
      this.autopilot.close();
      this.outbox?.close();
      this.pictures.close();
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  dispatch(step: Step): void {
    const before = this.state;
    this.state = reduce(before, step);
    if (this.state === before) return;
    if (step.type === "answered" && this.state.place === null) this.showAtOnce();
    this.follow(before);
    this.tell();
  }

  /** There is a stage, on which pictures can be put directly; or there is none any more. */
  setStage(show: ShowOnStage | null): void {
    this.onStage = show;
  }

  private tell(): void {
    if (!this.isShowing) for (const listener of this.listeners) listener();
  }

  /** The next picture goes into the page before anything else that an answer changes there is worked out. */
  private showAtOnce(): void {
    const shown = shownOf(this.state);
    const picture = shown && this.picture(shown);
    if (this.onStage === null || shown === null || picture === null || this.isShowing) return;
    this.onStage(shown, picture, this.state);
    this.isShowing = true;
    afterPaint(() => {
      this.isShowing = false;
      this.wantPictures();
      if (shownOf(this.state) === shown) this.dispatch({ type: "painted", key: keyOf(shown) });
      else this.tell();
    });
  }

  // --- what a person does ------------------------------------------------------------------------------------------

  answer(label: api.Label, source: Source): void {
    const { undoing, idle, paused } = this.state;
    if (paused) return this.note(PAUSED);
    const isReady = this.outbox !== null && !undoing && !idle;
    if (isReady && this.autopilot.press(label, source)) return;
    if (isReady && canAnswer(this.state)) this.give(label, source);
    else if (shownOf(this.state) !== null) this.note(undoing ? "Taking back…" : "The image is not here yet.");
  }

  /** Answer the image that is shown. */
  give(label: api.Label, source: Source): void {
    const shown = shownOf(this.state);
    if (shown === null || this.outbox === null) return;
    const now = performance.now();
    const shown_ms = this.pace.shown_ms(now);
    if (this.state.place === null) this.pace.answered(now, kindOf(this.state));
    this.dispatch({ type: "answered", label, source });
    const repeat = shown.again === "blindly" ? { repeat: true } : {};
    this.send([this.outgoing(shown, label, source, { shown_ms, ...repeat })]);
  }

  /**
   * Everything that is painted in the grid gets its answer: the marks, and the negative for the rest. A page that goes
   * against the model is asked about first, once.
   */
  answerGrid(): void {
    if (!isGridShown(this.state) || this.state.grid.cells.length === 0) return;
    const answers = gridAnswers(this.state);
    if (this.state.undoing) return this.note("Taking back…");
    if (answers.length === 0 || this.outbox === null) return this.note("The images are not here yet.");
    if (asksFirst(this.state)) return this.dispatch({ type: "gridAsked" });
    const now = performance.now();
    const seen_ms = this.pace.seen_ms(now);
    const group = newId();
    this.pace.answered(now, "grid", answers.length);
    this.dispatch({ type: "gridAnswered", answers });
    this.send(
      answers.map(({ queued, label, painted_ms }) =>
        this.outgoing(queued, label, "grid", { group, shown_ms: Math.round(seen_ms - painted_ms) }),
      ),
    );
  }

  /** These cells of the grid are on the screen from now on. */
  gridPainted(images: readonly number[]): void {
    this.dispatch({ type: "gridPainted", images, at_ms: this.pace.seen_ms(performance.now()) });
  }

  setGridSize(size: number): void {
    this.dispatch({ type: "gridSize", size });
    keep("ia:grid", size);
  }

  /** Give an image of the past, shown anywhere, another label. */
  correct(queued: Queued, label: api.Label, source: Source, more: Partial<Annotation> = {}): void {
    this.dispatch({ type: "corrected", queued, label });
    this.send([this.outgoing(queued, label, source, more)]);
  }

  /** Put an answer of the past right; undo brings back what it was. */
  relabel(answer: Past, label: api.Label, source: Source, more: Partial<Annotation> = {}): void {
    this.dispatch({ type: "corrected", queued: answer, label, from: answer.label });
    this.send([this.outgoing(answer, label, source, more)]);
  }

  private outgoing(
    { image, path, probability, version, alike = [] }: Queued,
    label: api.Label,
    source: Source,
    more: Partial<Annotation>,
  ): Outgoing {
    const together = alike.length > 0 ? { alike } : {};
    const annotation = { image, label, source, client: this.client, id: newId(), ...together, ...more };
    return { annotation, queued: { image, path, probability, version, alike } };
  }

  /** Answers are on their way from here on, whatever happens to the page. */
  private send(outgoing: readonly Outgoing[]): void {
    this.outbox?.add(...outgoing);
    this.asking.soon();
  }

  /** Take the last answer back: out of the outbox while it is still there, else on the server. */
  async undo(): Promise<void> {
    if (this.outbox === null) return;
    if (this.state.undoing) {
      this.undosWaiting += 1;
      return;
    }
    if (this.splitting !== null) await this.splitting;
    this.autopilot.forget();
    const taken = this.outbox.takeBack();
    if (taken !== null) {
      this.dispatch({ type: "undone", answer: asUndone(taken) });
      return;
    }
    this.dispatch({ type: "undoing" });
    try {
      if (!(await this.outbox.idle())) throw new Away();
      this.dispatch({ type: "undone", answer: await api.undo(this.client) });
      this.asking.soon();
      if (this.undosWaiting > 0) {
        this.undosWaiting -= 1;
        await this.undo();
      }
    } catch (error) {
      this.undosWaiting = 0;
      this.dispatch({ type: "undoFailed", sentence: undoSentence(error) });
      if (isLost(error)) this.onLost(error);
    }
  }

  /** The near duplicates of an image are asked one by one from now on. */
  async split(shown: Queued | null = shownOf(this.state)): Promise<void> {
    if (shown === null || alikeOf(shown).length === 0) return this.note("This image stands alone.");
    this.dispatch({ type: "split", image: shown.image }); // at once: the next answer is for this one only
    this.splitting = this.tellSplit(shown.image);
    await this.splitting;
    this.splitting = null;
  }

  private async tellSplit(image: number): Promise<void> {
    try {
      await this.outbox?.idle(); // what was answered before is taken back after this
      await api.split(this.client, image);
      this.asking.soon();
    } catch (error) {
      this.note(
        error instanceof Refused ? error.message : "The server is away; the others are asked together.",
      );
    }
  }

  async walk(direction: "older" | "newer" | "queue"): Promise<void> {
    const { past, place, pastComplete } = this.state;
    if (direction === "older" && !pastComplete && (place ?? -1) + PAST_AHEAD >= past.length) {
      const loaded = this.loadPast();
      if ((place ?? -1) + 2 >= past.length) await loaded;
    }
    if (direction === "older" && this.state.past.length === 0) this.note("There is no past answer yet.");
    this.dispatch({ type: "walk", direction });
  }

  setSpeed(speed: number): void {
    this.dispatch({ type: "speed", speed });
    keep("ia:speed", this.state.speed);
  }

  toggle(panel: Panel): void {
    this.dispatch({ type: "panel", panel: this.state.panel === panel ? null : panel });
  }

  openInstructions(): void {
    if (this.state.status?.instructions == null) this.note("There are no instructions in this run.");
    else this.toggle("instructions");
  }

  note(text: string): void {
    this.dispatch({ type: "note", text });
  }

  async chooseStrategy(strategy: api.Strategy): Promise<void> {
    try {
      await api.chooseStrategy(strategy);
    } catch (error) {
      this.note(
        error instanceof Refused ? error.message : "The server is away; the strategy was not changed.",
      );
    }
  }

  /** Ask random images until so many answers to such are there, and come back to Finish then. */
  async answerAtRandom(answers: number): Promise<void> {
    this.dispatch({ type: "panel", panel: null });
    await this.drawAtRandom(1, answers);
  }

  private comeBack({ asked_first: first }: Status): void {
    if (!this.returnsToFinish || first?.why !== "random" || first.left > 0) return;
    this.returnsToFinish = false;
    if (this.state.panel === null) this.toggle("finish"); // else the page says that they are answered
    this.askAnew();
  }

  /** Draw this share of the questions at random; what is known of the audit is asked anew with the next status. */
  async drawAtRandom(share: number, until?: number): Promise<void> {
    try {
      await api.drawAtRandom(share, until);
      this.returnsToFinish = until !== undefined;
      this.onStatus(await api.status());
      this.asking.soon();
    } catch (error) {
      this.note(error instanceof Refused ? error.message : "The server is away; it asks as before.");
    }
  }

  /** Have the images of a band asked before all others, and go back to them. */
  async askFirst(band: api.Range, threshold: number): Promise<void> {
    try {
      const { next } = await api.askFirst(band, threshold);
      this.returnsToFinish = false;
      this.liking.forget();
      this.askAnew();
      this.dispatch({ type: "panel", panel: null });
      const things = noun(this.state.status, next);
      if (next === 0) this.note(`No ${noun(this.state.status, 1)} is doubtful any more; it asks as usual.`);
      else
        this.note(
          next === 1 ? `One doubtful ${things} comes next.` : `${next} doubtful ${things} come next.`,
        );
    } catch (error) {
      this.note(error instanceof Refused ? error.message : "The server is away; it asks as before.");
    }
  }

  /** The order of the questions has changed. */
  askAnew(): void {
    this.asking.soon(0);
  }

  /** Escape: one step back from wherever one is. */
  close(): void {
    const { panel, photo, zoom, place, grid } = this.state;
    if (grid.isAsking) this.dispatch({ type: "gridBack" });
    else if (panel !== null) this.dispatch({ type: "panel", panel: null });
    else if (photo) this.dispatch({ type: "photo" });
    else if (zoom) this.dispatch({ type: "zoom", zoom: false });
    else if (place !== null) this.dispatch({ type: "walk", direction: "queue" });
  }

  /** Space: positive while AUTO runs, else pause. */
  pause(source: Source): void {
    const { auto, paused } = this.state;
    if (autoRuns(this.state) && source === "key") this.answer("positive", source);
    else if (auto || paused || shownOf(this.state) !== null) this.dispatch({ type: "pause" });
  }

  // --- what the page asks --------------------------------------------------------------------------------------------

  /** The decoded picture of what is shown; null while it is on its way. */
  picture(queued: Queued): HTMLImageElement | null {
    return this.pictures.element(queued);
  }

  /** Whether pictures are on their way. */
  get isFetching(): boolean {
    return this.pictures.isBusy;
  }

  /** A picture in the size of a cell or larger, for the grid and for thumbnails; null while there is none. */
  smallPicture(queued: Queued): HTMLImageElement | null {
    return this.pictures.small(queued);
  }

  /** The stage measures so many CSS pixels; what is fetched from now on is chosen for that. */
  resize(width: number, height: number): void {
    this.pictures.resize(width, height);
  }

  /** So large is a cell of the grid, in CSS pixels; if it has grown, its pictures come again, sharper. */
  resizeCells(width: number, height: number): void {
    if (this.pictures.resizeCells(width, height)) this.wantPictures();
  }

  /** How long an image takes as answers are given now; null before there are any. */
  image_ms(): number | null {
    return this.pace.image_ms(kindOf(this.state));
  }

  /** For how long somebody was at work on this visit. */
  worked_ms(): number {
    return this.pace.worked_ms(performance.now());
  }

  // --- what follows from a change ----------------------------------------------------------------------------------

  private follow(before: State): void {
    const { state } = this;
    const now = performance.now();
    this.pace.follow(state, before, now);
    const isMoved = state.queue !== before.queue || state.place !== before.place;
    if (isMoved || state.grid !== before.grid) this.wantPictures();
    if (state.grid.size !== before.grid.size || state.grid.isOpen !== before.grid.isOpen) this.asking.soon(0);
    this.autopilot.follow(before, now);
    if (state.link === "here" && before.link === "away") this.hurry();
    if (state.waiting !== before.waiting) {
      this.watchStuck();
      this.watchHeld(state.waiting < before.waiting);
    }
    if (state.look !== before.look) keep("ia:look", state.look);
    if (state.blind !== before.blind) keep("ia:blind", state.blind);
  }

  private wantPictures(): void {
    if (!this.isShowing) this.pictures.want(this.state); // else what is next can wait for what is now
  }

  private watchStuck(): void {
    if (this.state.waiting <= STUCK.waiting) {
      clearTimeout(this.stuckTimer);
      this.stuckTimer = undefined;
      if (this.state.stuck) this.dispatch({ type: "stuck", stuck: false });
    } else {
      this.stuckTimer ??= setTimeout(() => this.dispatch({ type: "stuck", stuck: true }), STUCK.after_ms);
    }
  }

  /** Say so when answers wait and none is stored, whatever keeps them. */
  private watchHeld(isMoving: boolean): void {
    if (isMoving) {
      clearTimeout(this.heldTimer);
      this.heldTimer = undefined;
    }
    if (this.state.waiting === 0) return;
    this.heldTimer ??= setTimeout(() => this.dispatch({ type: "held", held: true }), HELD_AFTER_MS);
  }

  // --- the server ----------------------------------------------------------------------------------------------------

  private onStatus(status: Status): void {
    const before = this.state.status;
    if (before !== null && runOf(status) !== runOf(before)) {
      this.onOtherRun(); // its images have other numbers
      return;
    }
    this.inDoubt = false;
    this.dispatch({ type: "status", status });
    this.opening ??= this.openOutbox(status);
    const isNewRanking = (status.ranking?.generation ?? null) !== this.state.ranking;
    if (isNewRanking || isShort(this.state, status.left)) this.asking.soon();
    this.comeBack(status);
  }

  private async openOutbox(status: Status): Promise<void> {
    this.outbox = await Outbox.open(`${runOf(status)}:`, await openKept(), {
      send: (annotations) => this.transmit(annotations),
      onStored: (stored, counts) => {
        this.dispatch({ type: "stored", images: stored.flatMap(({ queued }) => imagesOf(queued)), counts });
      },
      onRefused: ({ queued }, error) => {
        this.dispatch({ type: "refused", queued, sentence: error.message });
        this.asking.soon();
      },
      onTrouble: (error) => this.onTrouble(error),
      onChange: (waiting) => this.dispatch({ type: "waiting", waiting, images: this.imagesWaiting() }),
    });
    const waiting = this.outbox.waiting;
    if (waiting > 0) this.dispatch({ type: "waiting", waiting, images: this.imagesWaiting() });
  }

  private imagesWaiting(): readonly number[] {
    return this.outbox?.all.flatMap(({ annotation }) => imagesOf(annotation)) ?? [];
  }

  /** Send answers; after trouble make sure first that the server still serves this run. */
  private async transmit(annotations: readonly Annotation[]): Promise<api.BatchAnswer> {
    if (this.inDoubt) {
      this.onStatus(await api.status());
      if (this.inDoubt) throw new Away("another run");
    }
    return api.annotate(annotations);
  }

  /** An answer could not be stored; the outbox tries again. */
  private onTrouble(error: unknown): void {
    if (isLost(error)) this.onLost(error);
    else this.dispatch({ type: "link", link: "here", trouble: sentenceOf(error) });
  }

  /** The server is away, or does not know us any more. */
  private onLost(error: unknown): void {
    this.inDoubt = true;
    const unauthorised = error instanceof Refused && error.status === 401;
    this.dispatch({ type: "link", link: "away", unauthorised });
    this.asking.later();
  }

  /** The stream of events broke: find out whether the server is away or refuses us. */
  private async onEventsAway(): Promise<void> {
    this.inDoubt = true;
    try {
      this.onStatus(await api.status());
    } catch (error) {
      this.onLost(error);
    }
  }

  private hurry(): void {
    this.outbox?.hurry();
    this.pictures.hurry();
    this.asking.soon();
  }

  // --- the queue -----------------------------------------------------------------------------------------------------

  /** Ask for images; whether fewer came than are left: others hold the rest for now. */
  private async ask(): Promise<boolean> {
    const { tick } = this.state;
    const count = countFor(this.state);
    try {
      if (this.state.status === null) this.onStatus(await api.status());
      await this.opening; // whatever is shown can be answered
      const answer = await api.queue(this.client, count);
      const keep = keepAhead(this.pictures.fetch_ms, this.pace.interval_ms(kindOf(this.state)));
      this.dispatch({ type: "queue", answer, asked_at: tick, keep });
      this.pictures.hurry();
      return isShort(this.state, answer.left);
    } catch (error) {
      this.onLost(error);
      return false;
    }
  }

  /** What was answered before this page was there. */
  recall(): void {
    if (this.state.past.length === 0 && !this.state.pastComplete) void this.loadPast();
  }

  private loadPast(): Promise<void> {
    this.loadingPast ??= this.loadOlder()
      .catch(() => this.note("The server is away; older answers cannot be shown now."))
      .finally(() => (this.loadingPast = null));
    return this.loadingPast;
  }

  /** Older answers than are known; where others have answered meanwhile, the next page holds nothing new. */
  private async loadOlder(): Promise<void> {
    const known = this.state.past.length;
    let offset = Math.max(0, countImages(this.state.past) - imagesWaiting(this.state));
    while (this.state.past.length <= known && !this.state.pastComplete) {
      const { annotations, total } = await api.past(PAST_PAGE, offset);
      this.dispatch({ type: "pastLoaded", answers: annotations, total });
      offset += annotations.length - copiesAtEnd(annotations);
    }
  }
}

const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"] as const;

/** Whether an error says that the server is away or refuses us, rather than what it thinks of one request. */
function isLost(error: unknown): boolean {
  return !(error instanceof Refused) || error.status === 401;
}

/** What tells one run from another on the same address. */
function runOf(status: Status): string {
  return status.id;
}

/** What was taken out of the outbox, as the server would say it. */
function asUndone(taken: readonly Outgoing[]): api.UndoAnswer {
  const images = taken.map(({ annotation, queued }) => ({ ...queued, label: annotation.label }));
  return { ...(images.at(-1) as api.Answered), images };
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function undoSentence(error: unknown): string {
  if (!(error instanceof Refused)) return "The server is away; undo works again when it is back.";
  if (error.status === 409) return "There is nothing to take back.";
  return error.status === 401 ? WRONG_TOKEN : error.message;
}
