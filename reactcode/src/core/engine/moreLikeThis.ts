// More like this: the images most similar to one of them come next; pressed again on the same image, the usual order.
import * as api from "../../api";
import { attempt, type Store } from "./store";

/** What it needs of the server. */
interface Asker {
  /** The order of the questions has changed. */
  askAnew(): void;
}

export class MoreLikeThis {
  private image: number | null = null; // the one whose similar images come next
  private isAsking = false;

  constructor(
    private readonly store: Store,
    private readonly server: Asker,
  ) {}

  /** Something else has changed the order: the next press is a new wish. */
  forget(): void {
    this.image = null;
  }

  async press(shown: { readonly image: number | null } | null): Promise<void> {
    const image = shown?.image ?? null;
    if (image === null) return this.store.note("There is no image to find more of.");
    if (this.isAsking) return;
    this.isAsking = true;
    const ask = async () => {
      this.store.note(this.image === image ? await this.dropped() : await this.wanted(image));
      this.server.askAnew();
    };
    await attempt(this.store, ask, "the order of the questions stays as it was");
    this.isAsking = false;
  }

  private async wanted(image: number): Promise<string> {
    const { images } = await api.like(image);
    this.image = image;
    return images === 1 ? "The most similar one comes next." : `The ${images} most similar come next.`;
  }

  private async dropped(): Promise<string> {
    await api.forgetLike();
    this.image = null;
    return "The questions come in the usual order again.";
  }
}
