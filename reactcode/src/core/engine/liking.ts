// More like this: the images most like one of them come next; pressed again on the same image, the usual order.
import * as api from "../../api";

/** What it needs of the engine. */
interface Asker {
  note(text: string): void;
  askAnew(): void;
}

export class Liking {
  private image: number | null = null; // whose likes come next
  private isAsking = false;

  constructor(private readonly engine: Asker) {}

  /** The order is another one by now: pressed again it is a new wish. */
  forget(): void {
    this.image = null;
  }

  async press(shown: { readonly image: number | null } | null): Promise<void> {
    const image = shown?.image ?? null;
    if (image === null) return this.engine.note("There is no image to find more of.");
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      this.engine.note(this.image === image ? await this.dropped() : await this.wanted(image));
      this.engine.askAnew();
    } catch (error) {
      this.engine.note(
        error instanceof api.Refused ? error.message : "The server is away; it asks as before.",
      );
    } finally {
      this.isAsking = false;
    }
  }

  private async wanted(image: number): Promise<string> {
    const { images } = await api.like(image);
    this.image = image;
    return images === 1 ? "The most similar one comes next." : `The ${images} most similar come next.`;
  }

  private async dropped(): Promise<string> {
    await api.forgetLike();
    this.image = null;
    return "Asked in the usual order again.";
  }
}
