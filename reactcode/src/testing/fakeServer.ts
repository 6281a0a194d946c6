// A server for the tests: answers fetch and EventSource as the real one does, and remembers what it was told.
import { vi } from "vitest";
import type {
  Annotation,
  AnySource,
  Explanation,
  ImportPlan,
  Label,
  ManyAnswers,
  LastImport,
  Unnamed,
  FinishPreview,
  Statistics,
  Status,
} from "../api";
import type * as wire from "../api/wire";
import { FakeSource } from "./fakeSource";
import { FakeMap } from "./fakeMap";
import { good, refusal } from "./replies";
import { CHOICES, named, NEW_RUN, NO_MODEL, NO_STATISTICS } from "./answers";

interface Stored {
  readonly image: number;
  readonly label: Label;
  readonly group: string;
  readonly source?: AnySource;
  readonly reviewed?: boolean;
}

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
  statistics: Statistics = NO_STATISTICS;
  preview: FinishPreview = NO_MODEL;
  /** What was decided about the rest, and which bands were to be asked first. */
  readonly decisions: unknown[] = [];
  /** Of which images more were wanted; null: of none any more. */
  readonly liked: (number | null)[] = [];
  /** Of which words a preview was asked, and what they lead to; a text: why that is not known. */
  readonly previewed: string[] = [];
  wordsLeadTo: (text: string) => wire.PromptPreview | string = (text) => ({
    text,
    classes: [],
    images: [],
    note: "",
  });
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
  readonly map = new FakeMap(this);
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
    const { images } = this;
    return {
      ...NEW_RUN,
      images,
      photos: images,
      photos_positive: this.counts().positives,
      ...this.counts(),
      unreadable: this.unreadable.size,
      embedding: { done: images, total: images, percent: 100 },
      audit: this.statistics.audit,
      finished: this.preview.standing,
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
    if (typeof plan === "string") return refusal(422, { detail: plan });
    if ("missing" in plan) return refusal(422, { detail: "choose it", ...plan });
    return good<"post_import">({ ...plan, counts: this.counts(), group: "g" });
  }

  private counts(): wire.Counts {
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
    if (url.pathname.startsWith("/api/map")) return this.map.answer(url, body);
    switch (`${init.method ?? "GET"} ${url.pathname}`) {
      case "GET /api/status":
        return good<"get_status">(this.status);
      case "GET /api/choices":
        return good<"get_choices">(CHOICES);
      case "GET /api/queue":
        return good<"get_queue">(this.queue(Number(url.searchParams.get("count"))));
      case "POST /api/annotations/batch":
        return good<"post_annotations_batch">(
          this.annotate((body as { annotations: Annotation[] }).annotations),
          201,
        );
      case "POST /api/undo":
        return this.undo();
      case "GET /api/annotations":
        return good<"get_annotations">(this.past(url.searchParams));
      case "POST /api/import":
        return this.importing(url.searchParams);
      case "GET /api/import/last":
        return good<"get_import_last">(this.lastImport);
      case "POST /api/import/undo":
        return good<"post_import_undo">({ images: 6, ...this.counts() });
      case "POST /api/queue/release":
        this.released.push((body as Required<wire.ReleaseBody>).client);
        return new Response(null, { status: 204 });
      case "GET /api/slips":
        return good<"get_slips">(this.slips(Number(url.searchParams.get("limit"))));
      case "GET /api/statistics":
        return good<"get_statistics">(this.statistics);
      case "GET /api/finish":
        return good<"get_finish">(this.lookedAt(url.searchParams));
      case "POST /api/finish":
        return this.finish(body as Required<wire.FinishBody>);
      case "POST /api/finish/undo":
        return this.undoFinish();
      case "POST /api/like":
        return this.like(body as wire.LikeBody);
      case "DELETE /api/like":
        this.liked.push(null);
        return good<"delete_like">({ images: 0 });
      case "GET /api/prompt":
        return this.promptPreview(url.searchParams.get("text") ?? "");
      case "PUT /api/prompt":
        return this.lookFor(body as wire.PromptBody);
      case "POST /api/finish/doubtful":
        this.decisions.push(body);
        return good<"post_finish_doubtful">(this.preview.doubtful);
      case "GET /api/instructions":
        return good<"get_instructions">({ text: this.instructions });
      case "PUT /api/strategy":
        this.changes = { ...this.changes, ...(body as wire.StrategyBody) };
        return good<"put_strategy">(body as wire.StrategyBody);
      case "PUT /api/audit":
        return this.draw(body as wire.AuditBody);
      default:
        return refusal(404);
    }
  }

  named(image: number) {
    return { image, ...named(this.pathOf(image)), version: "v" };
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
    return explanation === undefined ? refusal(404) : good<"get_explanation">(explanation);
  }

  private queue(count: number): wire.NextImages {
    const isOpen = (image: number) =>
      !this.unreadable.has(image) && !this.stored.some((answer) => answer.image === image);
    const images = this.order.filter(isOpen).slice(0, count);
    return {
      images: images.map((image) => ({
        ...this.named(image),
        probability: this.probabilityOf(image),
        alike: [],
      })),
      ranking: this.status.ranking?.generation ?? null,
      left: this.counts().left,
    };
  }

  private annotate(annotations: readonly Annotation[]): wire.BatchResults {
    for (const annotation of annotations) {
      const isKnown = this.received.some(({ id }) => id === annotation.id);
      this.received.push(annotation);
      const { image, label, group, source, reviewed = false } = annotation;
      if (isKnown) continue;
      const others = this.stored.filter((answer) => answer.image !== image);
      this.superseded.push(...this.stored.filter((answer) => answer.image === image));
      this.stored = [...others, { image, label, source, reviewed, group: group ?? annotation.id }];
    }
    const results = annotations.map(({ id, image, label }) => ({ id, image, label, status: 201 as const }));
    return { results, ...this.counts() };
  }

  /** Stores one answer to many images, once; those that have one keep it. */
  annotateMany({ id, images, label }: ManyAnswers): wire.MapAnswer {
    const isKnown = this.stored.some(({ group }) => group === id);
    const open = isKnown
      ? []
      : images.filter((image) => !this.stored.some((answer) => answer.image === image));
    this.stored = [
      ...this.stored,
      ...open.map((image) => ({ image, label, source: "map" as const, group: id })),
    ];
    return { id, stored: open.length, kept: images.length - open.length, ...this.counts() };
  }

  labelOf(image: number): Label | null {
    return this.stored.find((answer) => answer.image === image)?.label ?? null;
  }

  private lookedAt(query: URLSearchParams): FinishPreview {
    const asked = (name: string) => (query.has(name) ? Number(query.get(name)) : null);
    const { threshold, doubtful } = this.preview;
    const [low, high] = [asked("low") ?? doubtful.low, asked("high") ?? doubtful.high];
    return {
      ...this.preview,
      threshold: asked("threshold") ?? threshold,
      doubtful: { ...doubtful, low, high },
    };
  }

  private finish(decision: Required<wire.FinishBody>): Response {
    this.decisions.push(decision);
    if (decision.checkpoint !== this.preview.checkpoint) return refusal(409);
    const { positive, negative } = this.preview;
    const { id, client, threshold, checkpoint } = decision;
    const labels = { time: "2026-01-02T03:04:05Z", positives: positive, negatives: negative };
    const standing = { id, client, threshold, checkpoint, ...labels, state: "standing" as const };
    this.preview = { ...this.preview, standing };
    return good<"post_finish">(standing, 202);
  }

  private undoFinish(): Response {
    const { standing } = this.preview;
    if (standing === null) return refusal(409);
    this.preview = { ...this.preview, standing: null };
    return good<"post_finish_undo">({ ...standing, state: "undone" });
  }

  private like({ image }: wire.LikeBody): Response {
    this.liked.push(image);
    return good<"post_like">({ image, images: 40 });
  }

  private promptPreview(text: string): Response {
    this.previewed.push(text);
    const found = this.wordsLeadTo(text);
    return typeof found === "string" ? refusal(503, { detail: found }) : good<"get_prompt">(found);
  }

  private lookFor({ text }: wire.PromptBody): Response {
    const prior: wire.PriorStatus = { sources: text === "" ? [] : ["prompt"], prompt: text };
    this.changes = { ...this.changes, prior };
    this.push();
    return good<"put_prompt">(prior);
  }

  /** All are drawn only for a time: then the share is what it was. */
  private draw({ share, until = null }: wire.AuditBody): Response {
    const { audit } = this.statistics;
    if (until !== null) {
      this.decisions.push({ share, until });
      const left = until - this.preview.random.answered;
      this.changes = { ...this.changes, asked_first: { why: "random", images: until, left } };
      return good<"put_audit">({ ...audit, share, until });
    }
    this.statistics = {
      ...this.statistics,
      audit: { ...audit, share, after: share === 1 ? audit.share : null },
    };
    return good<"put_audit">(this.statistics.audit);
  }

  private undo(): Response {
    const last = this.stored.at(-1);
    if (last === undefined) return refusal(409);
    const taken = this.stored.filter(({ group }) => group === last.group);
    this.stored = this.stored.filter(({ group }) => group !== last.group);
    for (const { image } of taken) this.restore(image);
    const images = taken
      .slice(last.source === "map" ? -100 : 0)
      .map(({ image, label }) => ({ ...this.named(image), label, alike: [] }));
    const answer = { ...this.named(last.image), label: last.label, alike: [], images, taken: taken.length };
    return good<"post_undo">(answer);
  }

  /** What stood before the answer that was taken back stands again, and is older than all others. */
  private restore(image: number): void {
    const place = this.superseded.findLastIndex((answer) => answer.image === image);
    this.stored.unshift(...this.superseded.splice(place, place < 0 ? 0 : 1));
  }

  private past(query: URLSearchParams): wire.AnswerPage {
    const fits = ({ label, source }: wire.RecordedAnswer) =>
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

  private slips(limit: number): wire.SuspectedAnswers {
    const all = this.stored
      .filter(({ reviewed }) => !reviewed)
      .map((stored) => this.asPast(stored))
      .filter((answer) => doubt(answer) >= 0.5)
      .sort((one, other) => doubt(other) - doubt(one))
      .map((answer) => ({
        ...answer,
        held_out: answer.held_out ?? 0.5,
        suspicion: doubt(answer),
        why: "model" as const,
      }));
    return { slips: all.slice(0, limit), total: all.length };
  }

  private asPast({ image, label, source = "key" }: Stored): wire.RecordedAnswer {
    const held_out = this.heldOut.get(image) ?? null;
    const given = {
      source: source,
      client: "somebody",
      time: "2026-01-02T03:04:05Z",
      shown_ms: 1,
    };
    return {
      ...this.named(image),
      label,
      held_out,
      ...given,
      probability: null,
      repeat: false,
      copy_of: null,
    };
  }
}

/** How sure the model is of the opposite. */
function doubt({ label, held_out }: wire.RecordedAnswer): number {
  if (held_out === null || label === "skipped") return 0;
  return label === "positive" ? 1 - held_out : held_out;
}
