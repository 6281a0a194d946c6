// What a person wants to be asked next: what fits some words, a strategy, random images, the doubtful ones, or more like one of them.
import * as api from "../../api";
import type { Range, Status, Strategy } from "../../api";
import { count, noun } from "../words";
import { MoreLikeThis } from "./moreLikeThis";
import type { Server } from "./server";
import { attempt, type Store } from "./store";

const AS_BEFORE = "the order of the questions stays as it was";

export class Wishes {
  readonly moreLikeThis: MoreLikeThis;
  private returnsToFinish = false; // after the random questions that Finish asked for

  constructor(
    private readonly store: Store,
    private readonly server: Server,
  ) {
    this.moreLikeThis = new MoreLikeThis(store, server);
  }

  chooseStrategy(strategy: Strategy): Promise<void> {
    const choose = async () => void (await api.chooseStrategy(strategy));
    return attempt(this.store, choose, "the strategy was not changed");
  }

  /** Has what fits these words asked first, and closes the panel. Rejects where they are not kept. */
  async lookFor(words: string): Promise<void> {
    const { prompt } = await api.lookFor(words);
    this.store.dispatch({ type: "panel", panel: null });
    this.store.note(prompt === "" ? "Nothing particular is looked for now." : `Looking for: ${prompt}.`);
  }

  /** Samples this share of the questions at random; the new status brings the figures of the audit. */
  drawAtRandom(share: number, until?: number): Promise<void> {
    const draw = async () => {
      await api.drawAtRandom(share, until);
      this.returnsToFinish = until !== undefined;
      await this.server.refresh();
      this.server.askSoon();
    };
    return attempt(this.store, draw, AS_BEFORE);
  }

  /** Asks random images until so many of them are answered, and then comes back to Finish. */
  async answerAtRandom(answers: number): Promise<void> {
    this.store.dispatch({ type: "panel", panel: null });
    await this.drawAtRandom(1, answers);
  }

  /** Asks the images of a band before all others, and closes the panel. */
  askFirst(band: Range, threshold: number): Promise<void> {
    const ask = async () => {
      const { next } = await api.askFirst(band, threshold);
      this.returnsToFinish = false;
      this.moreLikeThis.forget();
      this.server.askAnew();
      this.store.dispatch({ type: "panel", panel: null });
      this.store.note(comingNext(this.store.state.status, next));
    };
    return attempt(this.store, ask, AS_BEFORE);
  }

  /** Asks these images before all others, and closes the panel. */
  askThese(chosen: readonly number[]): Promise<void> {
    const ask = async () => {
      const { images } = await api.askThese(chosen);
      this.returnsToFinish = false;
      this.moreLikeThis.forget();
      this.server.askAnew();
      this.store.dispatch({ type: "panel", panel: null });
      this.store.note(
        images === 1
          ? "The one that you chose comes next."
          : `The ${count(images)} that you chose come next.`,
      );
    };
    return attempt(this.store, ask, AS_BEFORE);
  }

  /** Another status: once the random answers that Finish asked for are there, the person is led back to it. */
  onStatus({ asked_first: first }: Status): void {
    if (!this.returnsToFinish || first?.why !== "random" || first.left > 0) return;
    this.returnsToFinish = false;
    // where another panel is open, the page says that they are answered
    if (this.store.state.panel === null) this.store.dispatch({ type: "panel", panel: "finish" });
    this.server.askAnew();
  }
}

function comingNext(status: Status | null, next: number): string {
  const things = noun(status, next);
  if (next === 0) return `No ${noun(status, 1)} is doubtful any more; the questions come in the usual order.`;
  return next === 1 ? `One doubtful ${things} comes next.` : `${next} doubtful ${things} come next.`;
}
