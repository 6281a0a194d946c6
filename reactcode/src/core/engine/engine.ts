// The page without its view: connects the state to the pictures, the clocks, AUTO and the server.
import type { Annotation, Label, Queued, Source } from "../../api";
import { Autopilot, kindOf, Pace } from "../auto";
import { afterPaint, clientId, keep, kept, newId } from "../browser";
import { Pictures } from "../images";
import {
  asksFirst,
  autoRuns,
  canAnswer,
  checkedLook,
  checkedSize,
  gridAnswers,
  isGridShown,
  keyOf,
  PAUSED,
  reduce,
  shownOf,
  START,
  type Panel,
  type Past,
  type State,
  type Step,
} from "../session";
import { History } from "./history";
import type { Outgoing } from "./outbox";
import { Server } from "./server";
import type { Store } from "./store";
import { Wishes } from "./wishes";

type ShowOnStage = (shown: Queued, picture: HTMLImageElement, state: State) => void;

export class Engine implements Store {
  state: State = START;
  readonly client = clientId();
  readonly pace = new Pace();
  readonly autopilot = new Autopilot(this);
  readonly pictures = new Pictures({
    onDecoded: (queued) => this.dispatch({ type: "decoded", queued }),
    onUnreadable: (queued) => this.dispatch({ type: "unreadable", queued }),
    onTrouble: (error) => this.server.heed(error), // the preloader itself retries a picture that was refused
  });
  private readonly server = new Server(this, {
    pictures: this.pictures,
    pace: this.pace,
    onStatus: (status) => this.wishes.onStatus(status),
    onOtherRun: () => this.onOtherRun(),
  });
  readonly history = new History(this, this.server, () => this.autopilot.forget());
  readonly wishes = new Wishes(this, this.server);
  private onStage: ShowOnStage | null = null;
  private isShowing = false; // a picture is on the stage, and is not painted yet
  private readonly listeners = new Set<() => void>();

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
    for (const sign of SIGNS) window.addEventListener(sign, onSign, { passive: true });
    onVisible();
    const stopServer = this.server.start();
    return () => {
      document.removeEventListener("visibilitychange", onVisible);
      for (const sign of SIGNS) window.removeEventListener(sign, onSign);
      stopServer();
      this.autopilot.close();
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

  /** Sets how a picture is put on the stage directly; null: there is no stage. */
  setStage(show: ShowOnStage | null): void {
    this.onStage = show;
  }

  private tell(): void {
    if (!this.isShowing) for (const listener of this.listeners) listener();
  }

  /** Puts the next picture into the page before the rest of what an answer changes is rendered. */
  private showAtOnce(): void {
    const shown = shownOf(this.state);
    const picture = shown && this.pictures.element(shown);
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

  // --- answers -----------------------------------------------------------------------------------------------------

  answer(label: Label, source: Source): void {
    const { undoing, idle, paused } = this.state;
    if (paused) return this.note(PAUSED);
    const isReady = this.server.outbox !== null && !undoing && !idle;
    if (isReady && this.autopilot.press(label, source)) return;
    if (isReady && canAnswer(this.state)) this.give(label, source);
    else if (shownOf(this.state) !== null) this.note(undoing ? "Taking back…" : "The image is not here yet.");
  }

  /** Answer the image that is shown. */
  give(label: Label, source: Source): void {
    const shown = shownOf(this.state);
    if (shown === null || this.server.outbox === null) return;
    const now = performance.now();
    const shown_ms = this.pace.shown_ms(now);
    if (this.state.place === null) this.pace.answered(now, kindOf(this.state));
    this.dispatch({ type: "answered", label, source });
    const repeat = shown.again === "blindly" ? { repeat: true } : {};
    this.server.send([this.outgoing(shown, label, source, { shown_ms, ...repeat })]);
  }

  /**
   * Everything that is painted in the grid gets its answer: the marks, and the negative for all others. A page that goes
   * against the model is asked about first, once.
   */
  answerGrid(): void {
    if (!isGridShown(this.state) || this.state.grid.cells.length === 0) return;
    const answers = gridAnswers(this.state);
    if (this.state.undoing) return this.note("Taking back…");
    if (answers.length === 0 || this.server.outbox === null) return this.note("The images are not here yet.");
    if (asksFirst(this.state)) return this.dispatch({ type: "gridAsked" });
    const now = performance.now();
    const seen_ms = this.pace.seen_ms(now);
    const group = newId();
    this.pace.answered(now, "grid", answers.length);
    this.dispatch({ type: "gridAnswered", answers });
    this.server.send(
      answers.map(({ queued, label, painted_ms }) =>
        this.outgoing(queued, label, "grid", { group, shown_ms: Math.round(seen_ms - painted_ms) }),
      ),
    );
  }

  /** Gives many images the same answer, as one: one undo takes it back. */
  answerMany(images: readonly number[], label: "positive" | "negative"): boolean {
    const [image] = images;
    if (this.state.undoing) this.note("Taking back…");
    if (image === undefined || this.state.undoing || this.server.outbox === null) return false;
    const queued = { image, path: "", probability: null, version: null };
    this.dispatch({ type: "answeredMany", images, label });
    this.server.send([this.outgoing(queued, label, "map", { images })]);
    return true;
  }

  /** Gives an image that was answered before another label. */
  correct(queued: Queued, label: Label, source: Source, more: Partial<Annotation> = {}): void {
    this.dispatch({ type: "corrected", queued, label });
    this.server.send([this.outgoing(queued, label, source, more)]);
  }

  /** Corrects an answer; undo brings back the earlier label. */
  relabel(answer: Past, label: Label, source: Source, more: Partial<Annotation> = {}): void {
    this.dispatch({ type: "corrected", queued: answer, label, from: answer.label });
    this.server.send([this.outgoing(answer, label, source, more)]);
  }

  private outgoing(
    { image, path, probability, version, alike = [] }: Queued,
    label: Label,
    source: Source,
    more: Partial<Annotation>,
  ): Outgoing {
    const together = alike.length > 0 ? { alike } : {};
    const annotation = { image, label, source, client: this.client, id: newId(), ...together, ...more };
    return { annotation, queued: { image, path, probability, version, alike } };
  }

  // --- what else a person does -------------------------------------------------------------------------------------

  note(text: string): void {
    this.dispatch({ type: "note", text });
  }

  /** These cells of the grid are on the screen from now on. */
  gridPainted(images: readonly number[]): void {
    this.dispatch({ type: "gridPainted", images, at_ms: this.pace.seen_ms(performance.now()) });
  }

  setGridSize(size: number): void {
    this.dispatch({ type: "gridSize", size });
    keep("ia:grid", size);
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

  // --- how the work goes -------------------------------------------------------------------------------------------

  /** How long an image takes at the present pace; null before there are answers. */
  image_ms(): number | null {
    return this.pace.image_ms(kindOf(this.state));
  }

  /** How long somebody has worked on this visit. */
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
    this.autopilot.follow(before, now);
    this.server.follow(state, before);
    if (state.look !== before.look) keep("ia:look", state.look);
    if (state.blind !== before.blind) keep("ia:blind", state.blind);
  }

  private wantPictures(): void {
    if (!this.isShowing) this.pictures.want(this.state); // while a picture is being painted, the next ones can wait
  }
}

const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"] as const;
