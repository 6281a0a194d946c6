// Past answers: walking through them, taking the last one back, and asking near duplicates one by one.
import * as api from "../../api";
import { Away, Refused, type Queued } from "../../api";
import { alikeOf, copiesAtEnd, countImages, imagesWaiting, shownOf } from "../session";
import { away } from "../words";
import type { Outgoing } from "./outbox";
import type { Server } from "./server";
import { attempt, type Store } from "./store";

const PAGE = 50;
const AHEAD = 15; // older answers are loaded when so few known ones are left
const WRONG_TOKEN = "The link is not valid any more; open the link printed in the terminal.";

export class History {
  private undosWaiting = 0;
  private loading: Promise<void> | null = null;
  private splitting: Promise<void> | null = null; // resolves once the server knows of the split

  /** `onUndo`: something is about to be taken back. */
  constructor(
    private readonly store: Store,
    private readonly server: Server,
    private readonly onUndo: () => void,
  ) {}

  /** Take the last answer back: out of the outbox while it is still there, else on the server. */
  async undo(): Promise<void> {
    const { outbox } = this.server;
    if (outbox === null) return;
    if (this.store.state.undoing) {
      this.undosWaiting += 1;
      return;
    }
    if (this.splitting !== null) await this.splitting;
    this.onUndo();
    const taken = outbox.takeBack();
    if (taken !== null) {
      const many = taken[0]?.annotation.images;
      this.store.dispatch(
        many ? { type: "unansweredMany", images: many } : { type: "undone", answer: asUndone(taken) },
      );
      if (many) this.server.askSoon();
      return;
    }
    this.store.dispatch({ type: "undoing" });
    try {
      if (!(await outbox.idle())) throw new Away();
      this.store.dispatch({ type: "undone", answer: await api.undo(this.store.client) });
      this.server.askSoon();
      if (this.undosWaiting > 0) {
        this.undosWaiting -= 1;
        await this.undo();
      }
    } catch (error) {
      this.undosWaiting = 0;
      this.store.dispatch({ type: "undoFailed", sentence: undoSentence(error) });
      this.server.heed(error);
    }
  }

  /** Asks the near duplicates of an image one by one from now on. */
  async split(shown: Queued | null = shownOf(this.store.state)): Promise<void> {
    if (shown === null || alikeOf(shown).length === 0)
      return this.store.note("This image has no near duplicates.");
    this.store.dispatch({ type: "split", image: shown.image }); // at once: the next answer is for this one only
    const told = async () => {
      await this.server.outbox?.idle(); // earlier answers must be stored first: undo takes the split back before them
      await api.split(this.store.client, shown.image);
      this.server.askSoon();
    };
    this.splitting = attempt(this.store, told, "the near duplicates are still asked together");
    await this.splitting;
    this.splitting = null;
  }

  async walk(direction: "older" | "newer" | "queue"): Promise<void> {
    const { past, place, pastComplete } = this.store.state;
    if (direction === "older" && !pastComplete && (place ?? -1) + AHEAD >= past.length) {
      const loaded = this.load();
      if ((place ?? -1) + 2 >= past.length) await loaded;
    }
    if (direction === "older" && this.store.state.past.length === 0)
      this.store.note("There is no past answer yet.");
    this.store.dispatch({ type: "walk", direction });
  }

  /** Loads what was answered before this page was opened. */
  recall(): void {
    const { past, pastComplete } = this.store.state;
    if (past.length === 0 && !pastComplete) void this.load();
  }

  private load(): Promise<void> {
    this.loading ??= this.loadOlder()
      .catch(() => this.store.note(away("older answers cannot be shown now")))
      .finally(() => (this.loading = null));
    return this.loading;
  }

  /** Loads older answers; it goes on where a page holds nothing new, because others have answered meanwhile. */
  private async loadOlder(): Promise<void> {
    const { store } = this;
    const known = store.state.past.length;
    let offset = Math.max(0, countImages(store.state.past) - imagesWaiting(store.state));
    while (store.state.past.length <= known && !store.state.pastComplete) {
      const { annotations, total } = await api.past(PAGE, offset);
      store.dispatch({ type: "pastLoaded", answers: annotations, total });
      offset += annotations.length - copiesAtEnd(annotations);
    }
  }
}

/** What was taken out of the outbox, as the server would report it. */
function asUndone(taken: readonly Outgoing[]): api.UndoAnswer {
  const images = taken.map(({ annotation, queued }) => ({ ...queued, label: annotation.label }));
  return { ...(images.at(-1) as api.Answered), images };
}

function undoSentence(error: unknown): string {
  if (!(error instanceof Refused)) return away("undo works again when it is back");
  if (error.status === 409) return "There is nothing to take back.";
  return error.status === 401 ? WRONG_TOKEN : error.message;
}
