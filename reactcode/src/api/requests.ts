// Every question that the page asks the server, one function each.
import { Away, json, request, sending } from "./client";
import type {
  Annotation,
  AnswerOf,
  Filter,
  FinishDecision,
  ManyAnswers,
  Queued,
  Range,
  Strategy,
} from "./types";

const PICTURE_PATIENCE_MS = 60_000;
const UNDO_PATIENCE_MS = 60_000; // it may take back very many answers
const LONG_PATIENCE_MS = 120_000; // for what concerns very many images

export const status = () => json<AnswerOf<"get_status">>("api/status");

/** What the menus offer; the same as long as the server runs. */
export const choices = () => json<AnswerOf<"get_choices">>("api/choices");

export const queue = (client: string, count: number) =>
  json<AnswerOf<"get_queue">>(`api/queue?count=${count}&client=${encodeURIComponent(client)}`);

/** Store answers in this order; all are durable when this resolves, or none. */
export const annotate = (annotations: readonly Annotation[]) =>
  json<AnswerOf<"post_annotations_batch">>("api/annotations/batch", sending("POST", { annotations }));

export const undo = (client: string) =>
  json<AnswerOf<"post_undo">>("api/undo", {
    ...sending("POST", { client }),
    signal: AbortSignal.timeout(UNDO_PATIENCE_MS),
  });

/** Hand back what this page was given, while it is being left: nobody waits for an answer. */
export function release(client: string): void {
  const leaving = { ...sending("POST", { client }), keepalive: true, signal: null };
  request("api/queue/release", leaving).catch(() => undefined); // then others wait until its time is over
}

/** Have an image and its near duplicates asked one by one from now on. */
export const split = (client: string, image: number) =>
  json<AnswerOf<"post_split">>("api/split", sending("POST", { client, image }));

export function past(limit: number, offset: number, filter: Filter = {}) {
  const query = new URLSearchParams({ limit: String(limit), offset: String(offset) });
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value));
  return json<AnswerOf<"get_annotations">>(`api/annotations?${query.toString()}`);
}

/** The most suspicious first; `total`: how many there are. */
export const slips = (limit: number) => json<AnswerOf<"get_slips">>(`api/slips?limit=${limit}`);

export const statistics = (points: number) =>
  json<AnswerOf<"get_statistics">>(`api/statistics?points=${points}`);

export const instructions = () => json<AnswerOf<"get_instructions">>("api/instructions");

export const chooseStrategy = (strategy: Strategy) =>
  json<AnswerOf<"put_strategy">>("api/strategy", sending("PUT", { strategy }));

/** Draw this share at random; 1: all, until so many answers to such images are there, else the certificate. */
export const drawAtRandom = (share: number, until?: number) =>
  json<AnswerOf<"put_audit">>("api/audit", sending("PUT", { share, until }));

/** How the model would label all other images; null: the threshold of its own, the band that it doubts. */
export function finishPreview(threshold: number | null, band: Range | null) {
  const query = new URLSearchParams();
  if (threshold !== null) query.set("threshold", String(threshold));
  if (band !== null) for (const name of ["low", "high"] as const) query.set(name, String(band[name]));
  return json<AnswerOf<"get_finish">>(`api/finish?${query.toString()}`);
}

/** Let the model label all other images; sent again with the same id it is done once. */
export const finish = (decision: FinishDecision) =>
  json<AnswerOf<"post_finish">>("api/finish", sending("POST", decision));

/** Take the model's labels away. */
export const undoFinish = () => json<AnswerOf<"post_finish_undo">>("api/finish/undo", sending("POST", {}));

/** Ask the images of a band before all others. */
export const askFirst = (band: Range, threshold: number) =>
  json<AnswerOf<"post_finish_doubtful">>(
    "api/finish/doubtful",
    sending("POST", { low: band.low, high: band.high, threshold }),
  );

/** Ask the images most like this one before all others; resolves to how many. */
export const like = (image: number) => json<AnswerOf<"post_like">>("api/like", sending("POST", { image }));

/** What words lead to; an earlier question of this client is refused then. */
export function promptPreview(text: string, client: string) {
  const query = new URLSearchParams({ text, client });
  return json<AnswerOf<"get_prompt">>(`api/prompt?${query.toString()}`);
}

/** Ask first what fits these words from now on; empty: nothing particular. */
export const lookFor = (text: string) => json<AnswerOf<"put_prompt">>("api/prompt", sending("PUT", { text }));

/** Ask in the usual order again. */
export const forgetLike = () => json<AnswerOf<"delete_like">>("api/like", { method: "DELETE" });

/** Why the model thinks so; refused with 404 where nothing is to be told. */
export const explanation = (image: number) => json<AnswerOf<"get_explanation">>(`api/explanation/${image}`);

/** The map of the folder: its clusters, or why there is none yet. */
export const folderMap = () => json<AnswerOf<"get_map">>("api/map");

/** Where every image lies on the map, and what is known of it, as `pointsOf` of core/map reads it. */
export async function mapPoints(generation: number): Promise<ArrayBuffer> {
  const response = await request(`api/map/points?generation=${generation}`, {
    signal: AbortSignal.timeout(LONG_PATIENCE_MS),
  });
  return response.arrayBuffer().catch((error: unknown) => Promise.reject(new Away(String(error))));
}

/** The names of some images, and what is known of them; those that are gone are left out. */
export function mapImages(images: readonly number[]) {
  const query = new URLSearchParams(images.map((image) => ["image", String(image)]));
  return json<AnswerOf<"get_map_images">>(`api/map/images?${query.toString()}`);
}

/** Ask these images before all others; resolves to how many. */
export const askThese = (images: readonly number[]) =>
  json<AnswerOf<"post_map_first">>("api/map/first", {
    ...sending("POST", { images }),
    signal: AbortSignal.timeout(LONG_PATIENCE_MS),
  });

/** Give many images the same answer, which one undo takes back; those that have an answer by now keep it. */
export const annotateMany = (answer: ManyAnswers) =>
  json<AnswerOf<"post_map_answers">>("api/map/answers", {
    ...sending("POST", answer),
    signal: AbortSignal.timeout(LONG_PATIENCE_MS),
  });

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
