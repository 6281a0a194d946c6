// The shape of everything that goes over the wire.

export type Label = "positive" | "negative" | "skipped";
export type Source = "key" | "button" | "timeout" | "grid";
/** How answers of the past came, also those that the page did not give. */
export type AnySource = Source | "api" | "import";
export type LoopState = "running" | "starting" | "down" | "off";
export type Strategy = "max_prob" | "entropy" | "min_prob" | "min_entropy" | "random";

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
export interface FinishPreview {
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

/** The last import of which labels still stand; `group` null: there is none. */
export interface LastImport {
  readonly group: string | null;
  readonly images: number;
}

/** What was taken back, and how the counts stand after it. */
export interface ImportUndone extends Counts {
  readonly images: number;
}

/** Some answers of the past; `total`: how many there are. */
export interface PastPage {
  readonly annotations: readonly PastAnswer[];
  readonly total: number;
}

/** The most suspicious answers first; `total`: how many there are. */
export interface SlipsPage {
  readonly slips: readonly Slip[];
  readonly total: number;
}

/** How many images come first because they are like another one. */
export interface Liked {
  readonly images: number;
}

/** What the annotators are to go by; null where there is nothing. */
export interface Instructions {
  readonly text: string | null;
}

/** The decision to let a model label the rest. */
export interface FinishDecision {
  readonly threshold: number;
  readonly checkpoint: number;
  readonly id: string;
  readonly client: string;
}
