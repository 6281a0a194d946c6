// Which image a press was for when they follow each other faster than a person reacts. Pure but for its own memory.
//
// The delay from an image's appearance to the press it causes is taken as Gaussian (Krishna et al., "Embracing Error
// to Enable Rapid Crowdsourcing", CHI 2016); its mean and deviation are learnt from the person's own presses.
// A press that fits several images is given to the most likely one, and all of them are shown again in peace.

/** The delay of one person: weighted moments of all presses so far. */
export interface Reaction {
  readonly mean_ms: number;
  readonly sd_ms: number;
  /** As many presses as this rests on; what is assumed before the first one counts for `ASSUMED.weight`. */
  readonly weight: number;
}

export const ASSUMED: Reaction = { mean_ms: 450, sd_ms: 120, weight: 10 };

/** One appearance of an image on the screen. */
export interface Look<Image> {
  readonly image: Image;
  readonly onset_ms: number;
  /** How probable the model finds a positive; null where it does not say. */
  readonly probability: number | null;
}

export interface Verdict<Image> {
  /** Whose press it most likely was; null where it fits none. */
  readonly image: Image | null;
  readonly isCertain: boolean;
  /** How many images ago that one appeared: 0 is the one on the screen. */
  readonly back: number;
  /** What earlier presses had been given to, and are not any more. */
  readonly released: readonly Image[];
  /** What should be shown again, in peace: the likeliest first. */
  readonly doubtful: readonly Image[];
}

const LOOKS_KEPT = 16;
const LONGEST_MS = 1_500; // no press comes later than this
const SHORTEST_MS = 120; // nobody decides and moves a finger faster
const CERTAIN = 0.97;
const CONCEIVABLE = 0.02;
const LEARNT_FROM = 0.05; // less likely images say nothing about the delay
const OUTLIER = 0.0005; // of the density: a press may come at any odd time
const SD_MS = { least: 50, most: 300 };
const BASE_RATE = 0.05; // of positives, where the model says nothing
const PRIOR = { least: 0.05, most: 0.5 }; // what a person sees outweighs what the model thinks
const BELIEF = { least: 0.005, most: 0.97 }; // what earlier presses say
const MOST_WEIGHT = 200; // a person gets faster, and tired: old presses fade
const UNPRESSED = 0.1; // what is left of a belief after a look in peace without a press

/** Images that one press may have been for, with how likely each is. */
type Open<Image> = Map<Image, number>;

export class LatePresses<Image> {
  private looks: Look<Image>[] = [];
  private readonly pressed = new Set<Look<Image>>();
  private open: Open<Image>[] = [];
  private readonly settled = new Set<Image>();

  constructor(public reaction: Reaction = ASSUMED) {}

  /** How long an image must stay so that the press for it comes while it is there. */
  get peace_ms(): number {
    return this.reaction.mean_ms + 2.5 * this.reaction.sd_ms;
  }

  /** An image has appeared. */
  appeared(look: Look<Image>): void {
    this.looks = [...this.looks.slice(1 - LOOKS_KEPT), look];
  }

  /** A press for what the person is looking for. */
  positive(at_ms: number): Verdict<Image> {
    const { candidates, posterior } = this.fits(at_ms, (look) => this.prior(look));
    const best = posterior.indexOf(Math.max(...posterior));
    const look = candidates[best];
    if (look === undefined) return { image: null, isCertain: false, back: 0, released: [], doubtful: [] };
    this.learn(candidates, posterior, at_ms);
    const back = this.looks.length - 1 - this.looks.indexOf(look);
    if ((posterior[best] ?? 0) >= CERTAIN) {
      this.pressed.add(look);
      return { image: look.image, isCertain: true, back, released: this.settle(look.image), doubtful: [] };
    }
    return {
      image: look.image,
      isCertain: false,
      back,
      released: [],
      doubtful: this.doubt(candidates, posterior),
    };
  }

  /** The image a press of any other key was for. */
  other(at_ms: number): Look<Image> | null {
    const { candidates, posterior } = this.fits(at_ms, () => 1);
    const look = candidates[posterior.indexOf(Math.max(...posterior))] ?? null;
    if (look !== null) this.pressed.add(look);
    return look;
  }

  /** It is known for sure now what this image is: presses that it explains are open no more. */
  settle(image: Image): readonly Image[] {
    const fits = this.open.filter((press) => press.has(image));
    const explained = fits.sort((a, b) => (b.get(image) ?? 0) - (a.get(image) ?? 0))[0];
    this.open = this.open.filter((press) => press !== explained);
    this.exclude(image);
    return explained
      ? [...explained.keys()].filter((other) => other !== image && !this.isDoubtful(other))
      : [];
  }

  /** This image is not what any open press was for. */
  exclude(image: Image): void {
    this.settled.add(image);
    for (const press of this.open) press.delete(image);
    this.open = this.open.filter((press) => press.size > 0);
  }

  /** It was shown in peace, and nothing was pressed. */
  passed(image: Image): void {
    for (const press of this.open) {
      const likely = press.get(image);
      if (likely !== undefined) press.set(image, UNPRESSED * likely);
    }
  }

  /** Whether an open press may have been for this image. */
  isDoubtful(image: Image): boolean {
    return this.open.some((press) => press.has(image));
  }

  /** Forget what was on the screen: the person stopped, or took something back. */
  forget(): void {
    this.looks = [];
    this.open = [];
    this.pressed.clear();
    this.settled.clear();
  }

  private fits(at_ms: number, prior: (look: Look<Image>) => number) {
    const candidates = this.looks.filter(
      (look) => !this.pressed.has(look) && at_ms - look.onset_ms <= LONGEST_MS && look.onset_ms <= at_ms,
    );
    const weights = candidates.map((look) => prior(look) * this.density(at_ms - look.onset_ms));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { candidates, posterior: weights.map((weight) => weight / sum) };
  }

  /** Odds that this image is pressed for. */
  private prior({ image, probability }: Look<Image>): number {
    const open = Math.max(...this.open.map((press) => press.get(image) ?? 0));
    const { least, most } = open > 0 ? BELIEF : PRIOR;
    const bounded = Math.min(Math.max(open > 0 ? open : (probability ?? BASE_RATE), least), most);
    return bounded / (1 - bounded);
  }

  private density(delay_ms: number): number {
    const { mean_ms, sd_ms } = this.reaction;
    if (delay_ms < SHORTEST_MS) return 1e-9;
    return Math.exp(-0.5 * ((delay_ms - mean_ms) / sd_ms) ** 2) * (ASSUMED.sd_ms / sd_ms) + OUTLIER;
  }

  private doubt(candidates: readonly Look<Image>[], posterior: readonly number[]): readonly Image[] {
    const press: Open<Image> = new Map();
    for (const [place, { image }] of candidates.entries()) {
      const likely = (press.get(image) ?? 0) + (posterior[place] ?? 0);
      if (likely > CONCEIVABLE && !this.settled.has(image)) press.set(image, likely);
    }
    if (press.size > 0) this.open.push(press);
    return [...press.entries()].sort((a, b) => b[1] - a[1]).map(([image]) => image);
  }

  /** One step of expectation maximisation, on line: each image takes the part of the press that it is likely to have. */
  private learn(candidates: readonly Look<Image>[], posterior: readonly number[], at_ms: number): void {
    let { mean_ms, weight } = this.reaction;
    let square = this.reaction.sd_ms ** 2 * weight;
    for (const [place, { onset_ms }] of candidates.entries()) {
      const part = posterior[place] ?? 0;
      if (part <= LEARNT_FROM) continue;
      const off_ms = at_ms - onset_ms - mean_ms;
      weight += part;
      mean_ms += (part / weight) * off_ms;
      square += part * off_ms * (at_ms - onset_ms - mean_ms); // West (1979): weighted, incremental
    }
    const sd_ms = Math.min(Math.max(Math.sqrt(square / weight), SD_MS.least), SD_MS.most);
    this.reaction = { mean_ms, sd_ms, weight: Math.min(weight, MOST_WEIGHT) };
  }
}
