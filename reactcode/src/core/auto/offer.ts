// When AUTO offers to stop: what comes next has become improbable, and nothing was found for a while.

const AHEAD_LEAST = 8; // with fewer known probabilities it makes no offer
const IMPROBABLE = 0.1;
const FALLEN = 0.5; // of the highest mean so far
const WITHOUT = 30; // answers by AUTO in a row without a find

export class Offer {
  private highest = 0;
  private last = 0;
  private without = 0;

  /** The person found one. */
  found(): void {
    this.without = 0;
  }

  /** AUTO answered. */
  timedOut(): void {
    this.without += 1;
  }

  /** The person goes on: offered again only when it has fallen as far once more. */
  refused(): void {
    this.highest = this.last;
    this.without = 0;
  }

  /** Whether to offer, given the probabilities of the images that come next. */
  isDue(probabilities: readonly (number | null)[]): boolean {
    const known = probabilities.filter((probability) => probability !== null);
    if (known.length < AHEAD_LEAST) return false;
    this.last = known.reduce((sum, probability) => sum + probability, 0) / known.length;
    this.highest = Math.max(this.highest, this.last);
    return this.without >= WITHOUT && this.last < IMPROBABLE && this.last < FALLEN * this.highest;
  }
}
