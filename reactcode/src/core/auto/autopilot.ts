// AUTO: the time of an image runs down, late presses go to the image they were for, and what AUTO misses is measured.
import type { Label, Queued, Source } from "../../api";
import { nextFrame, keep, kept } from "../browser";
import {
  autoRuns,
  countsDown,
  isPainted,
  shownOf,
  type Asked,
  type Past,
  type State,
  type Step,
} from "../session";
import { Attendance, WARNING_MS } from "./attendance";
import { LatePresses, type Reaction } from "./late";
import { Offer } from "./offer";
import { Repeats } from "./repeats";
import type { Pace } from "./pace";

const IDLE_S = 180; // used with a server that does not report it

/** What AUTO needs of the engine. */
export interface Cockpit {
  readonly state: State;
  readonly pace: Pace;
  dispatch(step: Step): void;
  /** Answer the image that is shown. */
  give(label: Label, source: Source): void;
  /** Answer an image that is not shown any more. */
  correct(queued: Queued, label: Label, source: Source, more?: { readonly repeat?: boolean }): void;
}

export class Autopilot {
  private readonly late = new LatePresses<number>(kept("ia:reaction", reactionOf));
  private readonly offer = new Offer();
  private readonly repeats: Repeats;
  private frame: number | null = null;
  private readonly attendance = new Attendance();

  constructor(
    private readonly cockpit: Cockpit,
    random: () => number = Math.random,
  ) {
    this.repeats = new Repeats(random);
  }

  /** The person is there. */
  sign(): void {
    this.attendance.sign();
  }

  close(): void {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
  }

  /** Which part of the time of the image shown is left, 1 to 0. */
  remaining(): number {
    return this.cockpit.pace.remaining(this.duration_ms());
  }

  /** For how long there was no sign of a person. */
  get idle_ms(): number {
    return this.attendance.idle_ms;
  }

  /** Whether it asks in a moment if somebody is there. */
  get isAboutToAsk(): boolean {
    return countsDown(this.cockpit.state) && this.untilAsked_ms() <= WARNING_MS;
  }

  /** What follows from a change of state. */
  follow(before: State, now: number): void {
    const { state } = this.cockpit;
    if (state.auto && this.frame === null) this.begin();
    if (state.painted !== null && state.painted !== before.painted && state.place === null)
      this.appeared(now);
    if (!state.auto && before.auto) this.end();
    if (state.auto && state.queue !== before.queue) this.lookAhead();
  }

  /** An answer by a person; AUTO decides which image it is for. Returns whether it did. */
  press(label: Label, source: Source): boolean {
    const { state } = this.cockpit;
    if (!autoRuns(state) || state.place !== null) return false;
    const now = performance.now();
    return label === "positive" ? this.pressPositive(source, now) : this.pressOther(label, source, now);
  }

  /** The last press that was given to an earlier image was for the one that was on the screen then. */
  mine(source: Source): void {
    const { late } = this.cockpit.state;
    if (late?.onScreen === undefined || late.onScreen === null) return;
    const { queued, label, onScreen } = late;
    this.late.exclude(queued.image);
    this.release([queued.image]);
    this.cockpit.correct(queued, "negative", source);
    if (label === "positive") this.settle(onScreen.image);
    this.cockpit.dispatch({ type: "late", late: null });
    const shown = shownOf(this.cockpit.state);
    if (shown?.image === onScreen.image) this.cockpit.give(label, source);
    else this.cockpit.correct(onScreen, label, source);
  }

  /** Something was taken back: no press is open any more. */
  forget(): void {
    this.late.forget();
    const again = this.cockpit.state.queue.filter((asked) => asked.again === "inPeace");
    if (again.length > 0) this.release(again.map(({ image }) => image));
  }

  /** Go on although hardly anything comes. */
  goOn(): void {
    this.offer.refused();
    this.cockpit.dispatch({ type: "offer", offer: false });
  }

  // --- presses -----------------------------------------------------------------------------------------------------

  private pressPositive(source: Source, now: number): boolean {
    const { image, isCertain, back, released, doubtful } = this.late.positive(now);
    if (image === null) return false;
    keep("ia:reaction", this.late.reaction);
    this.offer.found();
    this.attendance.found();
    this.withdraw(released);
    const shown = shownOf(this.cockpit.state);
    if (isCertain) this.release([...released, image].filter((other) => other !== shown?.image));
    const images = doubtful.flatMap((other) => queuedOf(this.cockpit.state, other) ?? []);
    if (images.length > 0) this.cockpit.dispatch({ type: "again", images, how: "inPeace" });
    this.giveTo(image, "positive", source, back);
    return true;
  }

  private pressOther(label: Label, source: Source, now: number): boolean {
    const look = this.late.other(now);
    if (look === null) return false;
    this.late.exclude(look.image);
    const back = this.cockpit.state.past.findIndex(({ image }) => image === look.image) + 1;
    this.giveTo(look.image, label, source, back);
    return true;
  }

  /** Give the press to the image shown, or to an earlier one, and then say so. */
  private giveTo(image: number, label: Label, source: Source, back: number): void {
    const { state } = this.cockpit;
    const onScreen = shownOf(state);
    if (onScreen?.image === image && isPainted(state)) return this.cockpit.give(label, source);
    const queued = queuedOf(this.cockpit.state, image);
    if (queued === null) return;
    this.cockpit.correct(queued, label, source, this.repeats.includes(image) ? { repeat: true } : {});
    this.cockpit.dispatch({ type: "late", late: { queued, label, back, onScreen } });
  }

  /** Images that a press had been given to are negative after all. */
  private withdraw(images: readonly number[]): void {
    for (const image of images) {
      const entry = pastOf(this.cockpit.state, image);
      if (entry?.label === "positive") this.cockpit.correct(entry, "negative", "timeout");
    }
  }

  private settle(image: number): void {
    const released = this.late.settle(image);
    this.withdraw(released);
    this.release([...released, image]);
  }

  private release(images: readonly number[]): void {
    if (images.length > 0) this.cockpit.dispatch({ type: "unasked", images });
  }

  // --- the time of an image ------------------------------------------------------------------------------------------

  private duration_ms(): number {
    const { state } = this.cockpit;
    const usual_ms = 1000 / state.speed;
    return shownOf(state)?.again === "inPeace" ? Math.max(usual_ms, this.late.peace_ms) : usual_ms;
  }

  private appeared(now: number): void {
    const shown = shownOf(this.cockpit.state);
    if (shown === null) return;
    this.late.appeared({ image: shown.image, onset_ms: now, probability: shown.probability });
  }

  private begin(): void {
    this.sign();
    const frame = (time: number) => {
      this.frame = this.cockpit.state.auto ? nextFrame(frame) : null;
      this.countDown(time);
    };
    this.frame = nextFrame(frame);
  }

  private end(): void {
    this.forget();
    this.offer.refused();
    this.repeats.forget();
  }

  private countDown(now: number): void {
    const { state, pace } = this.cockpit;
    const runs = countsDown(state);
    pace.frame(state, now);
    this.attendance.frame(now, runs);
    if (!runs) return;
    if (this.untilAsked_ms() <= 0) this.cockpit.dispatch({ type: "idle" });
    else if (this.remaining() === 0) this.timeOut();
  }

  /** How long AUTO still goes on without a sign. */
  private untilAsked_ms(): number {
    const { status, queue, speed } = this.cockpit.state;
    const least_ms = 1000 * (status?.auto_idle ?? IDLE_S);
    const probabilities = queue.map(({ probability }) => probability);
    return this.attendance.patience_ms(least_ms, probabilities, speed) - this.attendance.idle_ms;
  }

  private timeOut(): void {
    const shown = shownOf(this.cockpit.state);
    if (shown?.again === "inPeace") {
      this.late.passed(shown.image);
      this.release([shown.image]);
      return;
    }
    this.cockpit.pace.sign(performance.now()); // whoever lets an image pass has looked at it
    this.cockpit.give("negative", "timeout");
    if (shown !== null) this.repeat(shown);
    this.offer.timedOut();
  }

  // --- how good AUTO is ----------------------------------------------------------------------------------------------

  /** AUTO has answered this image; a few of its answers are asked again, later and blindly. */
  private repeat(shown: Asked): void {
    const stands = ({ image }: Queued) => pastOf(this.cockpit.state, image)?.label === "negative";
    const images = this.repeats.answered(shown, stands);
    if (images.length > 0) this.cockpit.dispatch({ type: "again", images, how: "blindly" });
  }

  private lookAhead(): void {
    const { state } = this.cockpit;
    const isOffered = this.offer.isDue(state.queue.slice(1).map(({ probability }) => probability));
    if (isOffered && !state.offer) this.cockpit.dispatch({ type: "offer", offer: true });
  }
}

function queuedOf(state: State, image: number): Queued | null {
  return pastOf(state, image) ?? state.queue.find((asked) => asked.image === image) ?? null;
}

function pastOf({ past }: State, image: number): Past | null {
  return past.find((entry) => entry.image === image) ?? null;
}

function reactionOf(value: unknown): Reaction | undefined {
  const { mean_ms, sd_ms, weight } = (value ?? {}) as Partial<Record<keyof Reaction, unknown>>;
  const isGood = typeof mean_ms === "number" && typeof sd_ms === "number" && typeof weight === "number";
  return isGood && mean_ms > 0 && sd_ms > 0 && weight > 0 ? { mean_ms, sd_ms, weight } : undefined;
}
