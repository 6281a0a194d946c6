// Everything that goes over the wire; what comes by itself is in feed.ts.
import { news } from "./news";

export type Label = "positive" | "negative" | "skipped";
export type Source = "key" | "button" | "timeout" | "grid";
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
  /** Tiles, where photos are asked about in parts. */
  readonly images: number;
  /** How many photos they are of, and how many of these are positive; left out by an older server. */
  readonly photos?: number;
  readonly photos_positive?: number;
  /** The grid that photos are cut up by, such as 6x4; null: they are not. */
  readonly tile?: string | null;
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
  /** Seconds without a sign of a person, at least, until AUTO asks for one; 0: never. Left out by an older server. */
  readonly auto_idle?: number;
  /** Whether images may be added; left out by a server that cannot. */
  readonly upload?: boolean;
  /** What is asked before all else, and how much of it is left; null: nothing. Left out by a server that cannot tell. */
  readonly asked_first?: AskedFirst | null;
  /** What the model has labelled; left out by a server that lets it label nothing. */
  readonly finished?: Finished | null;
  /** Changes with the text; null where the annotators have none. */
  readonly instructions?: string | null;
  readonly network?: string;
  readonly version?: string;
  /** The name of the program that the page consists of now; null while it is not built. */
  readonly page?: string | null;
}

/** Why these images come first, how many there were to ask, and how many are left. */
export interface AskedFirst {
  readonly why: "doubtful" | "like" | "random";
  readonly images: number;
  readonly left: number;
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

/** Where a model looked: row by row, 1 speaks for positive as much as anything, -1 against it. */
export interface HeatMap {
  readonly height: number;
  readonly width: number;
  readonly values: readonly number[];
}

/** An answered image and how like it is, the cosine. */
export interface Neighbour {
  readonly image: number;
  readonly path: string;
  readonly version: string | null;
  readonly similarity: number;
  readonly label: Label;
}

export interface Explanation {
  readonly image: number;
  readonly checkpoint: number;
  readonly map: HeatMap | null;
  readonly positive: readonly Neighbour[];
  readonly negative: readonly Neighbour[];
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
  /** Given by somebody who had been told to doubt the answer before; it is not doubted again. */
  readonly reviewed?: boolean;
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

/** A split that was taken back: images that are one question again and, if it is open, the one to be shown. */
export interface Rejoined {
  readonly together: readonly number[];
  readonly images: readonly Omit<Queued, "probability">[];
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

/** An answer that is worth a second look. */
export interface Slip extends PastAnswer {
  /** Who gave it. */
  readonly client: string;
  readonly held_out: number;
  /** How probably it is wrong, as far as model and haste tell. */
  readonly suspicion: number;
  /** "fast" where the model alone would not have brought it up. */
  readonly why: "model" | "fast";
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
  /** The share to go back to, while all are drawn until so many are answered, or the certificate is given. */
  readonly after?: number | null;
  /** So many random answers are wanted meanwhile; null: the certificate. */
  readonly until?: number | null;
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

/** How many images, and the first of them. */
export interface Some {
  readonly images: number;
  readonly examples: readonly string[];
}

/** What a file of labels means for the run. */
export interface ImportPlan {
  readonly positive: number;
  readonly negative: number;
  readonly skipped: number;
  /** Images that have the label already. */
  readonly same: number;
  /** Labels that no person gave; they are left out. */
  readonly by_model: number;
  /** Rows without a label; left out by an older server. */
  readonly unlabelled?: number;
  /** How paths were found that are not the very name of an image, and how many by each rule. */
  readonly rules?: readonly { readonly rule: string; readonly paths: number; readonly says: string }[];
  /** Words that mean nothing here, and how many images have them. */
  readonly unread: Readonly<Record<string, number>>;
  readonly conflicts: Some;
  readonly contradictions: Some;
  /** Whole photos where the images are tiles of them; left out by an older server. */
  readonly of_photos?: Some;
  readonly ambiguous: Some;
  /** Paths with the file name of one image, but of another folder; left out by an older server. */
  readonly elsewhere?: Some;
  /** Paths that fit an image only loosely, while another path fits it too; left out by an older server. */
  readonly claimed?: Some;
  readonly unknown: Some;
}

/** `group` names it for `undoImport`; null where it cannot be taken back as a whole. */
export interface Imported extends ImportPlan {
  readonly group: string | null;
  readonly counts: Counts;
}

interface Files<First> {
  readonly files: number;
  readonly first: First;
}

/** What became of an upload: paths of new images, and why some cannot be shown; the same content; why not taken. */
export interface Uploaded {
  readonly added: Files<readonly string[]>;
  readonly duplicates: Files<Readonly<Record<string, string>>>;
  readonly refused: Files<Readonly<Record<string, string>>>;
  readonly unreadable: Files<Readonly<Record<string, string>>>;
}

/** How to read a file of labels. */
export interface Reading {
  readonly overwrite: boolean;
  readonly positive: readonly string[];
  readonly negative: readonly string[];
  /** The column of a table that names the image, and the one that names the class; absent: by their usual names. */
  readonly columns: Readonly<Partial<Record<ColumnName, string>>>;
}

export type ColumnName = "path_column" | "label_column";

/** A table whose columns have no usual names: which one is missing, and those that there are. */
export interface Unnamed {
  readonly missing: ColumnName;
  readonly columns: readonly string[];
}

/** The rest as a model has labelled it. */
export interface Finished {
  readonly id: string;
  readonly time: string;
  readonly threshold: number;
  readonly checkpoint: number;
  readonly positives: number;
  readonly negatives: number;
  readonly state: "writing" | "standing" | "undone";
}

export type Doubtful = Range & { readonly images: number; readonly next: number };

/** What would become of the rest if the model labelled it. */
export interface Outlook {
  readonly threshold: number;
  /** Null before the first. */
  readonly checkpoint: number | null;
  readonly positive: number;
  readonly negative: number;
  /** So many get no label: the model knows nothing of them. */
  readonly unscored: number;
  /** So many were drawn at random; without any, nobody knows how right the labels would be. */
  readonly drawn: number;
  /** So many of these were drawn at or above the threshold. */
  readonly drawn_positive: number;
  /** Whether so many tell how right the positive labels would be. */
  readonly positive_known: boolean;
  readonly precision: (Range & { readonly right: number; readonly of: number }) | null;
  readonly recall: Range | null;
  readonly histogram: readonly number[];
  /** Random answers there are, and how many it takes before the rest may be labelled. */
  readonly random: { readonly answered: number; readonly needed: number };
  /** Images in the band around the threshold, and how many of them are asked next. */
  readonly doubtful: Doubtful;
  readonly examples: Readonly<Record<"above" | "at" | "below", readonly Queued[]>>;
  readonly standing: Finished | null;
  readonly writing: { readonly done: number; readonly total: number } | null;
  /** Why the last labels could not be stored. */
  readonly trouble: string | null;
}

/** The server answered, and said no; or a proxy did in its place, without a word of the server's. */
export class Refused extends Error {
  readonly status: number;
  /** Whether it is the server that refuses, not a proxy before it. */
  readonly isVerdict: boolean;
  /** All that the server said. */
  readonly body: unknown;

  constructor(status: number, sentence: string | null, body: unknown = null) {
    super(sentence ?? `The server answered ${status}.`);
    this.status = status;
    this.isVerdict = sentence !== null;
    this.body = body;
  }

  /** Whether the same request may succeed later. */
  get mayPass(): boolean {
    return !this.isVerdict || this.status >= 500 || [401, 403, 408, 425, 429].includes(this.status);
  }
}

/** No answer came. */
export class Away extends Error {}

const PATIENCE_MS = 15_000;
const PICTURE_PATIENCE_MS = 60_000;
const IMPORT_PATIENCE_MS = 300_000;
const IMPORT_NAME = 60; // characters of the file's name: its ending says what it is

const KEY = "x-page-key";
let key = ""; // shows that a request is our page's, where a proxy makes it look like another site's

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  const headers = init.method === undefined ? init.headers : { ...init.headers, [KEY]: key };
  try {
    response = await fetch(path, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...init,
      ...(headers && { headers }),
    });
  } catch (error) {
    throw new Away(String(error));
  }
  key = response.headers.get(KEY) ?? key;
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/** What the server says of it; a refusal without a sentence is not the server's. */
async function refusalOf(response: Response): Promise<Refused> {
  try {
    const body = (await response.json()) as { detail?: unknown };
    return new Refused(response.status, typeof body.detail === "string" ? body.detail : null, body);
  } catch {
    return new Refused(response.status, null); // not JSON
  }
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

export const undo = (client: string) => json<UndoAnswer | Rejoined>("api/undo", sending("POST", { client }));

/** Hand back what this page was given, while it is being left: nobody waits for an answer. */
export function release(client: string): void {
  const leaving = { ...sending("POST", { client }), keepalive: true, signal: null };
  request("api/queue/release", leaving).catch(() => undefined); // then others wait until its time is over
}

/** Have an image and its near duplicates asked one by one from now on. */
export const split = (client: string, image: number) =>
  json<unknown>("api/split", sending("POST", { client, image }));

export function past(limit: number, offset: number, filter: Filter = {}) {
  const query = new URLSearchParams({ limit: String(limit), offset: String(offset) });
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value));
  return json<{ annotations: readonly PastAnswer[]; total: number }>(`api/annotations?${query.toString()}`);
}

function importing<T>(file: File, reading: Reading, isDry: boolean): Promise<T> {
  const { overwrite, positive, negative, columns } = reading;
  const query = new URLSearchParams({
    name: file.name.slice(-IMPORT_NAME),
    dry_run: String(isDry),
    overwrite: String(overwrite),
    ...columns,
  });
  for (const word of positive) query.append("positive", word);
  for (const word of negative) query.append("negative", word);
  return json<T>(`api/import?${query.toString()}`, {
    method: "POST",
    body: file,
    signal: AbortSignal.timeout(IMPORT_PATIENCE_MS),
  });
}

/** Which column of a table the server asks for; null: it refused for another reason. */
export function unnamedIn(error: unknown): Unnamed | null {
  const body = error instanceof Refused ? (error.body as Partial<Unnamed> | null) : null;
  return body?.missing && Array.isArray(body.columns)
    ? { missing: body.missing, columns: body.columns }
    : null;
}

export const planImport = (file: File, reading: Reading) => importing<ImportPlan>(file, reading, true);

export const importLabels = (file: File, reading: Reading) => importing<Imported>(file, reading, false);

/** The last import of which labels still stand; `group` null: there is none. */
export interface LastImport {
  readonly group: string | null;
  readonly images: number;
}

export const lastImport = () => json<LastImport>("api/import/last");

export const undoImport = (group: string) =>
  json<Counts & { images: number }>("api/import/undo", sending("POST", { group }));

/** Add an image, or a zip of them; a request of its own kind, for fetch does not tell how far it is. */
export function upload(
  file: File,
  name: string,
  signal: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    signal.addEventListener("abort", () => sending.abort());
    sending.upload.onprogress = ({ loaded }) => onSent(loaded);
    sending.onerror = sending.onabort = () => reject(new Away("The server is away."));
    sending.onload = () => {
      void readUpload(new Response(sending.responseText, { status: sending.status })).then(resolve, reject);
    };
    sending.open("POST", `api/upload?${new URLSearchParams({ name }).toString()}`);
    sending.setRequestHeader(KEY, key);
    sending.send(file);
  });
}

async function readUpload(response: Response): Promise<Uploaded> {
  if (!response.ok) throw await refusalOf(response);
  return (await response.json()) as Uploaded;
}
/** The most suspicious first; `total`: how many there are. */
export const slips = (limit: number) =>
  json<{ slips: readonly Slip[]; total: number }>(`api/slips?limit=${limit}`);

export const statistics = (points: number) => json<Statistics>(`api/statistics?points=${points}`);

export const instructions = () => json<{ text: string | null }>("api/instructions");

export const chooseStrategy = (strategy: Strategy) =>
  json<unknown>("api/strategy", sending("PUT", { strategy }));

/** Draw this share at random; 1: all, until so many answers to such images are there, else the certificate. */
export const drawAtRandom = (share: number, until?: number) =>
  json<unknown>("api/audit", sending("PUT", { share, until }));

/** What the model would make of the rest; null: the threshold of its own, the band that it doubts. */
export function outlook(threshold: number | null, band: Range | null) {
  const query = new URLSearchParams();
  if (threshold !== null) query.set("threshold", String(threshold));
  if (band !== null) for (const name of ["low", "high"] as const) query.set(name, String(band[name]));
  return json<Outlook>(`api/finish?${query.toString()}`);
}

/** Let the model label the rest; sent again with the same id it is done once. */
export const finish = (decision: {
  readonly threshold: number;
  readonly checkpoint: number;
  readonly id: string;
  readonly client: string;
}) => json<Finished>("api/finish", sending("POST", decision));

/** Take the model's labels away. */
export const undoFinish = () => json<Finished>("api/finish/undo", sending("POST", {}));

/** Ask the images of a band before all others. */
export const askFirst = (band: Range, threshold: number) =>
  json<Doubtful>("api/finish/doubtful", sending("POST", { low: band.low, high: band.high, threshold }));

/** Ask the images most like this one before all others; resolves to how many. */
export const like = (image: number) =>
  json<{ readonly images: number }>("api/like", sending("POST", { image }));

/** Ask in the usual order again. */
export const forgetLike = () => json<unknown>("api/like", { method: "DELETE" });

/** Why the model thinks so; refused with 404 where nothing is to be told. */
export const explanation = (image: number) => json<Explanation>(`api/explanation/${image}`);

/** The address of an image for display; `size_px` null asks for the original. */
export function pictureAddress(queued: Pick<Queued, "image" | "version">, size_px: number | null): string {
  const query = new URLSearchParams();
  if (size_px !== null) query.set("size", String(size_px));
  if (queued.version !== null) query.set("version", queued.version);
  return `api/images/${queued.image}?${query.toString()}`;
}

/** The address of the photo that a tile is of. */
export function photoAddress(queued: Pick<Queued, "image" | "version">, size_px: number): string {
  return `${pictureAddress(queued, size_px)}&whole=true`;
}

export interface Shown {
  readonly blob: Blob;
  readonly damage: string; // what is missing in it, in one sentence; "": nothing
}

/** The bytes of an image for display. */
export async function picture(queued: Queued, size_px: number | null, signal: AbortSignal): Promise<Shown> {
  const response = await request(pictureAddress(queued, size_px), {
    signal: AbortSignal.any([signal, AbortSignal.timeout(PICTURE_PATIENCE_MS)]),
  });
  try {
    const damage = decodeURIComponent(response.headers.get("x-damage") ?? "");
    return { blob: await response.blob(), damage };
  } catch (error) {
    throw new Away(String(error));
  }
}

/** Follow the server's status until the returned function is called. */
export function events(onStatus: (status: Status) => void, onAway: () => void): () => void {
  return news((heard) => {
    if (heard === "away") onAway();
    else onStatus(JSON.parse(heard.status) as Status);
  });
}
