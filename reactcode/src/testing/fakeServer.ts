// A server for the tests: answers fetch and EventSource as the real one does, and remembers what it was told.
import { vi } from "vitest";
import type {
  Annotation,
  Explanation,
  ImportPlan,
  Label,
  LastImport,
  Unnamed,
  Outlook,
  PastAnswer,
  Statistics,
  Status,
} from "../api";

interface Stored {
  readonly image: number;
  readonly label: Label;
  readonly group: string;
  readonly source?: string;
  readonly reviewed?: boolean;
}

const NOTHING: Statistics = {
  answers: 0,
  curve: { answers: [0], positives: [0] },
  asked: { answers: [], probability: [] },
  prequential: null,
  repeats: { asked: 0, missed: 0, low: null, high: null },
  sources: {},
};

const NO_MODEL: Outlook = {
  threshold: 0.5,
  checkpoint: null,
  positive: 0,
  negative: 0,
  unscored: 0,
  drawn: 0,
  drawn_positive: 0,
  positive_known: true,
  precision: null,
  recall: null,
  histogram: [],
  random: { answered: 0, needed: 50 },
  doubtful: { low: 0.2, high: 0.8, images: 0, next: 0 },
  examples: { above: [], at: [], below: [] },
  standing: null,
  writing: null,
  trouble: null,
};

export class FakeServer {
  readonly received: Annotation[] = []; // every POST, repeated ones too
  readonly unreadable = new Set<number>();
  readonly damaged = new Map<number, string>(); // what is missing in the picture of an image
  readonly requests: string[] = [];
  /** What a file of labels would do, or why it cannot be read. */
  imports: (query: URLSearchParams) => ImportPlan | Unnamed | string = () => "There are none.";
  readonly imported: string[] = [];
  lastImport: LastImport = { group: null, images: 0 };
  /** Who has handed back what it was given. */
  readonly released: string[] = [];
  stored: Stored[] = [];
  statistics = NOTHING;
  outlook = NO_MODEL;
  /** What was decided about the rest, and which bands were to be asked first. */
  readonly decisions: unknown[] = [];
  /** Of which images more were wanted; null: of none any more. */
  readonly liked: (number | null)[] = [];
  instructions: string | null = null;
  /** What the model says of an image when it has not learnt its answer. */
  readonly heldOut = new Map<number, number>();
  readonly explanations = new Map<number, Explanation>();
  probabilityOf: (image: number) => number | null = (image) => image / 100;
  pathOf = (image: number) => `folder/${image}.jpg`;
  /** What to answer instead: an HTTP status, or 0 for no answer at all. */
  failure: number | null = null;
  picturesHeld = false;
  changes: Partial<Status> = {};
  order: number[];
  private superseded: Stored[] = [];
  private held: (() => void)[] = [];
  private sources: FakeSource[] = [];

  constructor(readonly images = 20) {
    this.order = Array.from({ length: images }, (_, image) => image);
    vi.stubGlobal("fetch", (path: string, init?: RequestInit) => this.answer(path, init));
    const { sources } = this;
    vi.stubGlobal(
      "EventSource",
      class extends FakeSource {
        static readonly CLOSED = 2;
        constructor() {
          super();
          sources.push(this);
        }
      },
    );
  }

  get status(): Status {
    return {
      run: "runs/r",
      datadir: "/d",
      id: "1d",
      classes: { positive: "hat", negative: "no hat" },
      images: this.images,
      ...this.counts(),
      unreadable: this.unreadable.size,
      listing: false,
      strategy: "max_prob",
      model: null,
      ranking: null,
      embedding: { done: this.images, total: this.images, percent: 100 },
      loops: { trainer: "running", inference: "running", selector: "running" },
      tensorboard: true,
      audit: this.statistics.audit ?? null,
      ...this.changes,
    };
  }

  /** Tell the page the status, as the real server does whenever it changes. */
  push(): void {
    for (const source of this.sources) source.hear("status", JSON.stringify(this.status));
  }

  breakStream(): void {
    for (const source of this.sources) source.hear("error", "");
  }

  letPicturesGo(): void {
    this.picturesHeld = false;
    for (const go of this.held.splice(0)) go();
  }

  private importing(query: URLSearchParams): Response {
    this.imported.push(query.toString());
    const plan = this.imports(query);
    if (typeof plan === "string") return Response.json({ detail: plan }, { status: 422 });
    if ("missing" in plan) return Response.json({ detail: "choose it", ...plan }, { status: 422 });
    return Response.json({ ...plan, counts: this.counts(), group: "g" });
  }

  private counts() {
    const having = (label: Label) => this.stored.filter((answer) => answer.label === label).length;
    const left = this.images - this.stored.length - this.unreadable.size;
    return { positives: having("positive"), negatives: having("negative"), skipped: having("skipped"), left };
  }

  private async answer(path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, "http://server/");
    this.requests.push(`${init.method ?? "GET"} ${url.pathname}`);
    if (url.pathname.startsWith("/api/images/")) return this.picture(Number(url.pathname.split("/").at(-1)));
    await Promise.resolve();
    if (url.pathname.startsWith("/api/explanation/")) return this.explain(url.pathname);
    if (this.failure === 0) throw new TypeError("Failed to fetch");
    if (this.failure !== null && init.method !== undefined) return refusal(this.failure);
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : null;
    switch (`${init.method ?? "GET"} ${url.pathname}`) {
      case "GET /api/status":
        return Response.json(this.status);
      case "GET /api/queue":
        return Response.json(this.queue(Number(url.searchParams.get("count"))));
      case "POST /api/annotations/batch":
        return Response.json(this.annotate((body as { annotations: Annotation[] }).annotations), {
          status: 201,
        });
      case "POST /api/undo":
        return this.undo();
      case "GET /api/annotations":
        return Response.json(this.past(url.searchParams));
      case "POST /api/import":
        return this.importing(url.searchParams);
      case "GET /api/import/last":
        return Response.json(this.lastImport);
      case "POST /api/import/undo":
        return Response.json({ images: 6, ...this.counts() });
      case "POST /api/queue/release":
        this.released.push((body as { client: string }).client);
        return new Response(null, { status: 204 });
      case "GET /api/slips":
        return Response.json(this.slips(Number(url.searchParams.get("limit"))));
      case "GET /api/statistics":
        return Response.json(this.statistics);
      case "GET /api/finish":
        return Response.json(this.lookedAt(url.searchParams));
      case "POST /api/finish":
        return this.finish(body as { threshold: number; checkpoint: number; id: string });
      case "POST /api/finish/undo":
        this.outlook = { ...this.outlook, standing: null };
        return Response.json({});
      case "POST /api/like":
        this.liked.push((body as { image: number }).image);
        return Response.json({ images: 40 });
      case "DELETE /api/like":
        this.liked.push(null);
        return Response.json({ images: 0 });
      case "POST /api/finish/doubtful":
        this.decisions.push(body);
        return Response.json(this.outlook.doubtful);
      case "GET /api/instructions":
        return Response.json({ text: this.instructions });
      case "PUT /api/strategy":
        this.changes = { ...this.changes, ...(body as { strategy: string }) };
        return Response.json(body);
      case "PUT /api/audit":
        return this.draw(body as { share: number; until?: number });
      default:
        return refusal(404);
    }
  }

  private named(image: number) {
    return { image, path: this.pathOf(image), version: "v" };
  }

  private async picture(image: number): Promise<Response> {
    if (this.picturesHeld) await new Promise<void>((resolve) => this.held.push(resolve));
    if (this.unreadable.has(image)) return refusal(415);
    const damage = this.damaged.get(image);
    const headers: Record<string, string> =
      damage === undefined ? {} : { "x-damage": encodeURIComponent(damage) };
    return new Response(new Blob(["picture"]), { headers });
  }

  private explain(path: string): Response {
    const explanation = this.explanations.get(Number(path.split("/").at(-1)));
    return explanation === undefined ? refusal(404) : Response.json(explanation);
  }

  private queue(count: number) {
    const isOpen = (image: number) =>
      !this.unreadable.has(image) && !this.stored.some((answer) => answer.image === image);
    const images = this.order.filter(isOpen).slice(0, count);
    return {
      images: images.map((image) => ({ ...this.named(image), probability: this.probabilityOf(image) })),
      ranking: this.status.ranking?.generation ?? null,
      left: this.counts().left,
    };
  }

  private annotate(annotations: readonly Annotation[]) {
    for (const annotation of annotations) {
      const isKnown = this.received.some(({ id }) => id === annotation.id);
      this.received.push(annotation);
      const { image, label, group, source, reviewed = false } = annotation;
      if (isKnown) continue;
      const others = this.stored.filter((answer) => answer.image !== image);
      this.superseded.push(...this.stored.filter((answer) => answer.image === image));
      this.stored = [...others, { image, label, source, reviewed, group: group ?? annotation.id }];
    }
    return { results: annotations.map(({ id }) => ({ id, status: 201 })), ...this.counts() };
  }

  private lookedAt(query: URLSearchParams): Outlook {
    const asked = (name: string) => (query.has(name) ? Number(query.get(name)) : null);
    const { threshold, doubtful } = this.outlook;
    const [low, high] = [asked("low") ?? doubtful.low, asked("high") ?? doubtful.high];
    return {
      ...this.outlook,
      threshold: asked("threshold") ?? threshold,
      doubtful: { ...doubtful, low, high },
    };
  }

  private finish(decision: { threshold: number; checkpoint: number; id: string }): Response {
    this.decisions.push(decision);
    if (decision.checkpoint !== this.outlook.checkpoint) return refusal(409);
    const { positive, negative } = this.outlook;
    const labels = { time: "2026-01-02T03:04:05Z", positives: positive, negatives: negative };
    this.outlook = { ...this.outlook, standing: { ...decision, ...labels, state: "standing" } };
    return Response.json(this.outlook.standing, { status: 202 });
  }

  /** All are drawn only for a time: then the share is what it was. */
  private draw({ share, until }: { share: number; until?: number }): Response {
    if (until !== undefined) {
      this.decisions.push({ share, until });
      const left = until - this.outlook.random.answered;
      this.changes = { ...this.changes, asked_first: { why: "random", images: until, left } };
      return Response.json({ share });
    }
    const { audit } = this.statistics;
    if (!audit) return refusal(422);
    this.statistics = {
      ...this.statistics,
      audit: { ...audit, share, after: share === 1 ? audit.share : null },
    };
    return Response.json({ share });
  }

  private undo(): Response {
    const last = this.stored.at(-1);
    if (last === undefined) return refusal(409);
    const taken = this.stored.filter(({ group }) => group === last.group);
    this.stored = this.stored.filter(({ group }) => group !== last.group);
    for (const { image } of taken) this.restore(image);
    const images = taken.map(({ image, label }) => ({ ...this.named(image), label }));
    return Response.json({ ...images.at(-1), images });
  }

  /** What stood before the answer that was taken back stands again, and is older than all others. */
  private restore(image: number): void {
    const place = this.superseded.findLastIndex((answer) => answer.image === image);
    this.stored.unshift(...this.superseded.splice(place, place < 0 ? 0 : 1));
  }

  private past(query: URLSearchParams) {
    const fits = ({ label, source }: PastAnswer) =>
      label === (query.get("label") ?? label) && source === (query.get("source") ?? source);
    const all = this.stored
      .map((stored) => this.asPast(stored))
      .reverse()
      .filter(fits)
      .filter((answer) => !query.has("disagrees") || doubt(answer) > 0.5);
    if (query.get("order") === "suspicious") all.sort((one, other) => doubt(other) - doubt(one));
    const offset = Number(query.get("offset"));
    return { annotations: all.slice(offset, offset + Number(query.get("limit"))), total: all.length };
  }

  private slips(limit: number) {
    const all = this.stored
      .filter(({ reviewed }) => !reviewed)
      .map((stored) => this.asPast(stored))
      .filter((answer) => doubt(answer) >= 0.5)
      .sort((one, other) => doubt(other) - doubt(one))
      .map((answer) => ({ ...answer, client: "somebody", suspicion: doubt(answer), why: "model" }));
    return { slips: all.slice(0, limit), total: all.length };
  }

  private asPast({ image, label, source = "key" }: Stored): PastAnswer {
    const held_out = this.heldOut.get(image) ?? null;
    const rest = { source, time: "2026-01-02T03:04:05Z", shown_ms: 1, probability: null, repeat: false };
    return { ...this.named(image), label, held_out, ...rest };
  }
}

/** How sure the model is of the opposite. */
function doubt({ label, held_out }: PastAnswer): number {
  if (held_out === null || label === "skipped") return 0;
  return label === "positive" ? 1 - held_out : held_out;
}

function refusal(status: number): Response {
  return Response.json({ detail: `The fake server says ${status}.` }, { status });
}

class FakeSource {
  readonly readyState = 1;
  private readonly listeners: { type: string; listener: (event: MessageEvent<string>) => void }[] = [];

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.push({ type, listener });
  }

  hear(type: string, data: string): void {
    for (const entry of this.listeners)
      if (entry.type === type) entry.listener(new MessageEvent(type, { data }));
  }

  close(): void {
    this.listeners.length = 0;
  }
}
