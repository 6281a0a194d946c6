// The map of the folder in tests: images on a square, in clusters by their number, and what was asked of it.
import type { Cluster, FolderMap, Label, ManyAnswers, MapImage } from "../api";
import { refusal } from "./replies";

interface Run {
  readonly images: number;
  readonly probabilityOf: (image: number) => number | null;
  readonly unreadable: ReadonlySet<number>;
  named(image: number): { readonly path: string; readonly version: string };
  labelOf(image: number): Label | null;
  annotateMany(answer: ManyAnswers): object;
}

const CODES = { positive: 1, negative: 2, skipped: 3 } as const;

export class FakeMap {
  /** Why there is none yet; null: there is one. */
  coming: string | null = null;
  generation = 1;
  /** How many clusters there are; the image 7 of 3 is in the cluster 1. */
  clusters = 2;
  probabilities: readonly number[] = []; // of the clusters
  /** Where an image lies, between -1 and 1; null: nowhere yet. */
  placeOf: (image: number) => readonly [x: number, y: number] | null = (image) => [
    image % 2 === 0 ? -0.5 : 0.5,
    (image / this.run.images) * 1.6 - 0.8,
  ];
  readonly asked: (readonly number[])[] = [];
  readonly answers: ManyAnswers[] = [];

  constructor(private readonly run: Run) {}

  answer(url: URL, body: unknown): Response {
    switch (url.pathname) {
      case "/api/map":
        return Response.json(this.overview());
      case "/api/map/points":
        return new Response(this.points());
      case "/api/map/images":
        return Response.json({
          images: url.searchParams.getAll("image").map((image) => this.image(Number(image))),
        });
      case "/api/map/first":
        this.asked.push((body as ManyAnswers).images);
        return Response.json({ images: (body as ManyAnswers).images.length });
      case "/api/map/answers":
        this.answers.push(body as ManyAnswers);
        return Response.json(this.run.annotateMany(body as ManyAnswers), { status: 201 });
      default:
        return refusal(404);
    }
  }

  private get all(): readonly number[] {
    return Array.from({ length: this.run.images }, (_, image) => image);
  }

  private overview(): FolderMap {
    if (this.coming !== null)
      return {
        images: this.run.images,
        placed: 0,
        generation: 0,
        method: "",
        clusters: [],
        coming: this.coming,
      };
    const placed = this.all.filter((image) => this.placeOf(image) !== null);
    const clusters = Array.from({ length: this.clusters }, (_, id) => this.cluster(id));
    return {
      images: this.run.images,
      placed: placed.length,
      generation: this.generation,
      method: "pca",
      clusters,
      coming: null,
    };
  }

  private cluster(id: number): Cluster {
    const images = this.all.filter((image) => image % this.clusters === id);
    const having = (label: Label | null) =>
      images.filter((image) => this.run.labelOf(image) === label).length;
    const [x, y] = this.placeOf(id) ?? [0, 0];
    return {
      id,
      images: images.length,
      ...{ x, y: y + 0.5, radius: 0.4 },
      positives: having("positive"),
      negatives: having("negative"),
      skipped: having("skipped"),
      left: having(null),
      probability: this.probabilities[id] ?? 0.31,
      representatives: images.slice(0, 3),
    };
  }

  private image(image: number): MapImage {
    const { path, version } = this.run.named(image);
    return {
      image,
      path,
      version,
      probability: this.run.probabilityOf(image),
      label: this.run.labelOf(image),
    };
  }

  private points(): ArrayBuffer {
    const { all } = this;
    const octet = (value: number | null) => (value === null ? 255 : Math.round(254 * value));
    const place = (image: number, axis: 0 | 1) =>
      Math.round(32767 * (this.placeOf(image)?.[axis] ?? -32768 / 32767));
    const answerOf = (image: number) => {
      const label = this.run.labelOf(image);
      return label === null ? (this.run.unreadable.has(image) ? 4 : 0) : CODES[label];
    };
    const bytes = new Uint8Array(8 * all.length);
    new Int16Array(bytes.buffer, 0, all.length).set(all.map((image) => place(image, 0)));
    new Int16Array(bytes.buffer, 2 * all.length, all.length).set(all.map((image) => place(image, 1)));
    const octets = [
      all.map(answerOf),
      all.map((image) => octet(this.run.probabilityOf(image))),
      all.map(() => 255),
      all.map((image) => image % this.clusters),
    ];
    octets.forEach((values, n) => bytes.set(values, all.length * (4 + n)));
    return bytes.buffer;
  }
}
