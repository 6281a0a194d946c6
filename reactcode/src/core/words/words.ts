// How numbers, labels and paths are written for a person.
import type { Label, PastAnswer, Status } from "../../api";
import { noun } from "./tiles";

const WHOLE = new Intl.NumberFormat("en", { useGrouping: "min2" });

export function count(value: number): string {
  return WHOLE.format(value);
}

/** The count with what is said of it: “1 image was”, “1,000 images were”, as the caller writes both. */
export function counted(value: number, one: string, many: string): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function percent(probability: number | null): string {
  return probability === null ? "–" : `${Math.round(100 * probability)} %`;
}

export function perSecond(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

/** Images a second, where one takes so long; a dash while nobody knows. */
export function pace(image_ms: number | null): string {
  return image_ms === null ? "–" : perSecond(1000 / Math.max(image_ms, 1));
}

/** Over a whole visit; a first second counts as one. */
export function answersPerSecond(answers: number, worked_ms: number): number {
  return (1000 * answers) / Math.max(worked_ms, 1000);
}

/** A time of work, in whole minutes: what changes every second draws the eye. */
export function minutes(time_ms: number): string {
  const whole = Math.floor(time_ms / 60_000);
  return whole < 60 ? `${whole} min` : `${Math.floor(whole / 60)} h ${whole % 60} min`;
}

/** A time to the second, or, below ten seconds, to a tenth. */
export function duration(time_ms: number): string {
  if (time_ms < 9_950) return `${(time_ms / 1000).toFixed(1)} s`;
  const whole = Math.round(time_ms / 1000);
  const seconds = whole % 60;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${seconds} s`;
  return minutes(time_ms);
}

/** What became of an import that was undone. */
export function takenBack(labels: number): string {
  return `${counted(labels, "label was", "labels were")} taken back; earlier labels count again.`;
}

/** How many images there are; tiles say of how many photos. */
export function ofPhotos(status: Pick<Status, "images" | "photos" | "tile">): string {
  const { images, photos, tile } = status;
  if (!tile || photos === undefined) return count(images);
  return `${count(images)} ${noun(status, images)} of ${counted(photos, "photo", "photos")}`;
}

/** What a label is called in this run. */
export function nameOf(status: Status | null, label: Label): string {
  return label === "skipped" ? "skipped" : (status?.classes[label] ?? label);
}

const SOURCES: Readonly<Record<string, string>> = {
  key: "keys",
  button: "buttons",
  timeout: "AUTO",
  grid: "grid",
  map: "map",
  api: "API",
  import: "imported",
};

/** What gave an answer. */
export function sourceName(source: string): string {
  return SOURCES[source] ?? source;
}

const MOMENT = new Intl.DateTimeFormat("en", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** A time as the server writes it; empty where it is none. */
export function moment(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : MOMENT.format(date);
}

/** When and by what an answer was given. */
export function origin({ source, time }: Pick<PastAnswer, "source" | "time">): string {
  return [sourceName(source), moment(time)].filter(Boolean).join(", ");
}

const TAIL = 16;

/** A path in two parts: the first may be cut short on screen, the second (the end of the name) is always seen. */
export function inTwo(path: string): readonly [string, string] {
  const letters = Array.from(path);
  const slash = letters.lastIndexOf("/");
  const tail = Math.min(letters.length - slash - 1, TAIL);
  return [letters.slice(0, letters.length - tail).join(""), letters.slice(letters.length - tail).join("")];
}
