// Everything that goes over the wire: the only place that calls fetch or opens an EventSource.

export type Label = "positive" | "negative" | "skipped";
export type Source = "key" | "button" | "timeout";
/** How answers of the past came, also those that the page did not give. */
export type AnySource = Source | "api" | "import";
export type LoopState = "running" | "starting" | "down" | "off";
export const STRATEGIES = ["max_prob", "entropy", "min_prob", "min_entropy", "random"] as const;
export type Strategy = (typeof STRATEGIES)[number];

export interface Counts {
  readonly positives: number;
  readonly negatives: number;
  readonly skipped: number;
  readonly left: number;
}

/** What the two answers are called in this run. */
export interface Classes {
  readonly positive: string;
  readonly negative: string;
}

export interface Status extends Counts {
  readonly run: string;
  readonly datadir: string;
  readonly id: string;
  readonly classes: Classes;
  readonly images: number;
  /** How many of them are near duplicates of another one; left out by an older server. */
  readonly alike?: number;
  readonly unreadable: number;
  readonly listing: boolean;
  readonly strategy: string;
  readonly model: {
    readonly generation: number;
    readonly labels: number;
    readonly metrics: Readonly<Record<string, number>>;
  } | null;
  readonly ranking: { readonly generation: number; readonly labels: number } | null;
  readonly embedding: { readonly done: number; readonly total: number; readonly percent: number };
  readonly loops: Readonly<Record<string, LoopState>>;
  readonly tensorboard: boolean;
  /** Left out by a server without one. */
  readonly audit?: AuditStatus | null;
  /** Changes with the text; null where the annotators have none. */
  readonly instructions?: string | null;
  readonly network?: string;
  readonly version?: string;
}

/** An image to be shown; `version` changes with the file's content. */
export interface Queued {
  readonly image: number;
  readonly path: string;
  readonly probability: number | null;
  readonly version: string | null;
  /** Its near duplicates: the answer is for them, too. */
  readonly alike?: readonly number[];
}

export interface QueueAnswer {
  readonly images: readonly Queued[];
  readonly ranking: number | null;
  readonly left: number;
}

export interface Annotation {
  readonly image: number;
  readonly label: Label;
  readonly source: Source;
  readonly client: string;
  readonly shown_ms?: number;
  readonly id: string;
  /** Given together with others, as in a grid: one undo takes all of them back. */
  readonly group?: string;
  /** Asked again, blindly, although there was an answer: says how sure the person is. */
  readonly repeat?: boolean;
  /** Near duplicates that the person was shown with it, and that get the same answer. */
  readonly alike?: readonly number[];
}

/** What became of one answer of a batch: 201, or why it was refused. */
export interface Outcome {
  readonly id: string;
  readonly status: number;
  readonly detail?: string;
}

export interface BatchAnswer extends Counts {
  readonly results: readonly Outcome[];
}

/** An answered image. */
export interface Answered {
  readonly image: number | null; // null: the file is not there any more
  readonly path: string;
  readonly label: Label;
  readonly version: string | null;
  /** Near duplicates that are asked with it again. */
  readonly alike?: readonly number[];
}

/** `images` are all that were taken back at once, in the order answered; the last of them stands above too. */
export interface UndoAnswer extends Answered {
  readonly images: readonly Answered[];
}

/** An answer of the past as the server lists it. */
export interface PastAnswer extends Answered {
  readonly source: string;
  readonly time: string;
  readonly shown_ms: number | null;
  /** What the model said before it was answered. */
  readonly probability: number | null;
  /** What the model says when it has not learnt this answer. */
  readonly held_out: number | null;
  readonly repeat: boolean;
  /** The image that was on the screen, if this is a near duplicate that was answered with it. */
  readonly copy_of?: number | null;
}

/** Which answers of the past, and in which order. */
export interface Filter {
  readonly label?: Label;
  readonly source?: AnySource;
  /** Bounds of the held-out probability, else of the one shown. */
  readonly least?: number;
  readonly most?: number;
  /** Only those of which the model, asked without that answer, is sure of the opposite. */
  readonly disagrees?: boolean;
  readonly order?: "newest" | "suspicious";
}

/** A part of a whole with the 95 % interval of its share. */
export interface Share {
  readonly low: number | null;
  readonly high: number | null;
}

/** Bounds of a 95 % interval. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Whether so many of the positives are found, and how many more random answers that would take. */
export interface Certificate {
  readonly recall: number;
  readonly confidence: number;
  readonly given: boolean;
  readonly answers: number;
}

/** What a share of the questions, drawn at random, says. */
export interface AuditStatus {
  readonly share: number;
  /** The share to go back to, while all are drawn until the certificate is given. */
  readonly after?: number | null;
  readonly drawn: number;
  readonly to_find: Range;
  readonly certificate: Certificate;
}

export interface Audit extends AuditStatus {
  readonly asked: number;
  /** What the model has not asked for, and what was drawn from it. */
  readonly rest: { readonly images: number; readonly drawn: number; readonly positives: number };
  readonly prevalence: Range | null;
  readonly positives: Range;
  readonly recall: Range | null;
  /** What its labels would be worth if it labelled the rest now. */
  readonly model: {
    readonly threshold: number;
    readonly precision: (Range & { readonly right: number; readonly of: number }) | null;
    readonly recall: Range | null;
  } | null;
  /** Positives among the drawn, and the range in which they would be if its probabilities were right. */
  readonly calibration:
    (Range & { readonly images: number; readonly positives: number; readonly expected: number }) | null;
}

export interface Statistics {
  readonly answers: number;
  readonly curve: { readonly answers: readonly number[]; readonly positives: readonly number[] };
  readonly asked: { readonly answers: readonly number[]; readonly probability: readonly (number | null)[] };
  readonly prequential: (Share & { readonly right: number; readonly of: number }) | null;
  readonly repeats: Share & { readonly asked: number; readonly missed: number };
  readonly sources: Readonly<Record<string, number>>;
  readonly audit?: Audit | null;
}

/** The server answered, and said no. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }

  /** Whether the same request may succeed later. */
  get mayPass(): boolean {
    return this.status >= 500 || [401, 408, 425, 429].includes(this.status);
  }
}

/** No answer came. */
export class Away extends Error {}

const PATIENCE_MS = 15_000;
const PICTURE_PATIENCE_MS = 60_000;

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), ...init });
  } catch (error) {
    throw new Away(String(error));
  }
  if (!response.ok) throw new Refused(response.status, await sentenceOf(response));
  return response;
}

async function sentenceOf(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { detail?: unknown };
    if (typeof body.detail === "string") return body.detail;
  } catch {
    // not JSON: the status says enough
  }
  return `The server answered ${response.status}.`;
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await request(path, init);
  try {
    return (await response.json()) as T;
  } catch (error) {
    throw new Away(String(error)); // the answer broke off
  }
}

function sending(method: string, body: unknown): RequestInit {
  return { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

export const status = () => json<Status>("api/status");

export const queue = (client: string, count: number) =>
  json<QueueAnswer>(`api/queue?count=${count}&client=${encodeURIComponent(client)}`);

/** Store answers in this order; all are durable when this resolves, or none. */
export const annotate = (annotations: readonly Annotation[]) =>
  json<BatchAnswer>("api/annotations/batch", sending("POST", { annotations }));

export const undo = (client: string) => json<UndoAnswer>("api/undo", sending("POST", { client }));

/** Have an image and its near duplicates asked one by one from now on. */
export const split = (client: string, image: number) =>
  json<unknown>("api/split", sending("POST", { client, image }));

export function past(limit: number, offset: number, filter: Filter = {}) {
  const query = new URLSearchParams({ limit: String(limit), offset: String(offset) });
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value));
  return json<{ annotations: readonly PastAnswer[]; total: number }>(`api/annotations?${query.toString()}`);
}

export const statistics = (points: number) => json<Statistics>(`api/statistics?points=${points}`);

export const instructions = () => json<{ text: string | null }>("api/instructions");

export const chooseStrategy = (strategy: Strategy) =>
  json<unknown>("api/strategy", sending("PUT", { strategy }));

/** Draw this share of the questions at random; 1: all of them, until the certificate is given. */
export const drawAtRandom = (share: number) => json<unknown>("api/audit", sending("PUT", { share }));

/** The address of an image for display; `size_px` null asks for the original. */
export function pictureAddress(queued: Pick<Queued, "image" | "version">, size_px: number | null): string {
  const query = new URLSearchParams();
  if (size_px !== null) query.set("size", String(size_px));
  if (queued.version !== null) query.set("version", queued.version);
  return `api/images/${queued.image}?${query.toString()}`;
}

/** The bytes of an image for display. */
export async function picture(queued: Queued, size_px: number | null, signal: AbortSignal): Promise<Blob> {
  const response = await request(pictureAddress(queued, size_px), {
    signal: AbortSignal.any([signal, AbortSignal.timeout(PICTURE_PATIENCE_MS)]),
  });
  try {
    return await response.blob();
  } catch (error) {
    throw new Away(String(error));
  }
}

const REOPEN_MS = 3_000;

/**
 * Follow the server's status until the returned function is called.
 * The browser reconnects by itself, except after an answer that is no stream: then a new one is opened.
 */
export function events(onStatus: (status: Status) => void, onAway: () => void): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource("api/events");
    source.addEventListener("status", (event: MessageEvent<string>) => {
      onStatus(JSON.parse(event.data) as Status);
    });
    source.addEventListener("error", () => {
      onAway();
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, REOPEN_MS);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
