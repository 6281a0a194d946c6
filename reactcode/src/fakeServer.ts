// A server for the tests: answers fetch and EventSource as the real one does, and remembers what it was told.
import { vi } from "vitest";
import type { Annotation, Explanation, Label, PastAnswer, Statistics, Status } from "./api";

interface Stored {
  readonly image: number;
  readonly label: Label;
  readonly group: string;
  readonly source?: string;
}

const NOTHING: Statistics = {
  answers: 0,
  curve: { answers: [0], positives: [0] },
  asked: { answers: [], probability: [] },
  prequential: null,
  repeats: { asked: 0, missed: 0, low: null, high: null },
  sources: {},
};

export class FakeServer {
  readonly received: Annotation[] = []; // every POST, repeated ones too
  readonly unreadable = new Set<number>();
  readonly requests: string[] = [];
  stored: Stored[] = [];
  statistics = NOTHING;
  instructions: string | null = null;
  /** What the model says of an image when it has not learnt its answer. */
  readonly heldOut = new Map<number, number>();
  readonly explanations = new Map<number, Explanation>();
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
      case "GET /api/statistics":
        return Response.json(this.statistics);
      case "GET /api/instructions":
        return Response.json({ text: this.instructions });
      case "PUT /api/strategy":
        this.changes = { ...this.changes, ...(body as { strategy: string }) };
        return Response.json(body);
      case "PUT /api/audit":
        return this.draw((body as { share: number }).share);
      default:
        return refusal(404);
    }
  }

  private async picture(image: number): Promise<Response> {
    if (this.picturesHeld) await new Promise<void>((resolve) => this.held.push(resolve));
    return this.unreadable.has(image) ? refusal(415) : new Response(new Blob(["picture"]));
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
      images: images.map((image) => ({ ...named(image), probability: image / 100 })),
      ranking: this.status.ranking?.generation ?? null,
      left: this.counts().left,
    };
  }

  private annotate(annotations: readonly Annotation[]) {
    for (const annotation of annotations) {
      const isKnown = this.received.some(({ id }) => id === annotation.id);
      this.received.push(annotation);
      const { image, label, group, source } = annotation;
      if (isKnown) continue;
      const others = this.stored.filter((answer) => answer.image !== image);
      this.superseded.push(...this.stored.filter((answer) => answer.image === image));
      this.stored = [...others, { image, label, source, group: group ?? annotation.id }];
    }
    return { results: annotations.map(({ id }) => ({ id, status: 201 })), ...this.counts() };
  }

  /** All are drawn only for a time: then the share is what it was. */
  private draw(share: number): Response {
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
    const images = taken.map(({ image, label }) => ({ ...named(image), label }));
    return Response.json({ ...images.at(-1), images });
  }

  /** What stood before the answer that was taken back stands again. */
  private restore(image: number): void {
    const place = this.superseded.findLastIndex((answer) => answer.image === image);
    this.stored.push(...this.superseded.splice(place, place < 0 ? 0 : 1));
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

  private asPast({ image, label, source = "key" }: Stored): PastAnswer {
    const held_out = this.heldOut.get(image) ?? null;
    const rest = { source, time: "2026-01-02T03:04:05Z", shown_ms: 1, probability: null, repeat: false };
    return { ...named(image), label, held_out, ...rest };
  }
}

/** How sure the model is of the opposite. */
function doubt({ label, held_out }: PastAnswer): number {
  if (held_out === null || label === "skipped") return 0;
  return label === "positive" ? 1 - held_out : held_out;
}

function named(image: number) {
  return { image, path: `folder/${image}.jpg`, version: "v" };
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
