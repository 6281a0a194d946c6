// The page's names for what goes over the wire; the shapes are generated from openapi.json (wire.ts: npm run openapi).
import type * as wire from "./wire";

/** The JSON of a route's good answer; the route by its short name in openapi.json, such as `get_status`. */
export type AnswerOf<Name extends keyof wire.operations> = JsonOf<wire.operations[Name]["responses"]>;
type JsonOf<Responses> = {
  [Status in keyof Responses & (200 | 201 | 202)]: Responses[Status] extends {
    readonly content: { readonly "application/json": infer Content };
  }
    ? Content
    : never;
}[keyof Responses & (200 | 201 | 202)];

export type Label = wire.RecordedAnswer["label"];
/** How an answer of the past can have come; the page gives some of them. */
export type AnySource = wire.RecordedAnswer["source"];
export type Source = Exclude<AnySource, "api" | "import">;
export type LoopState = wire.LoopStatus[keyof wire.LoopStatus];
export type Strategy = wire.StrategyBody["strategy"];
export type Counts = wire.Counts;
export type Classes = wire.ClassNames;
export type Status = wire.Status;
export type AskedFirst = wire.AskedFirst;
export type HeatMap = wire.HeatMap;
export type Explanation = wire.ImageExplanation;
export type BatchAnswer = wire.BatchResults;
export type Slip = wire.SuspectedAnswer;
export type Share = Pick<wire.RepeatFigures, "low" | "high">;
export type Range = wire.Interval;
export type Certificate = wire.Certificate;
export type AuditStatus = wire.AuditStatus;
export type Audit = wire.AuditFigures;
export type Statistics = wire.WorkStatistics;
export type Some = wire.SomeImages;
export type ImportPlan = wire.ImportPlan;
export type Imported = wire.ImportOutcome;
export type Uploaded = wire.UploadOutcome;
export type ColumnName = wire.ColumnQuestion["missing"];
export type Finished = wire.FinishedLabels;
export type Doubtful = wire.DoubtfulBand;
export type PromptPreview = wire.PromptPreview;
export type FinishPreview = wire.FinishPreview;
export type Choices = wire.PageChoices;
export type LastImport = wire.LastImport;
export type FinishDecision = wire.FinishBody;

// The page shows less of an image than the server says, and makes some of these itself, of answers that are taken back.

/** An image to be shown; `version` changes with the file's content. */
export type Queued = Pick<wire.QueuedImage, "image" | "path" | "probability"> &
  Pick<wire.RecordedAnswer, "version"> &
  Partial<Pick<wire.QueuedImage, "alike">>;
/** The images to answer next, best first. */
export type QueueAnswer = Omit<wire.NextImages, "images"> & { readonly images: readonly Queued[] };
/** An answered image and how like it is, the cosine. */
export type Neighbour = Omit<wire.NearImage, "source_image" | "tile">;
/** An answered image; its number is null where the file is not there any more. */
export type Answered = Pick<wire.UndoneImage, "image" | "path" | "label" | "version"> &
  Partial<Pick<wire.UndoneImage, "alike">>;
/** `images` are all that were taken back at once, in the order answered; the last of them stands above too. */
export type UndoAnswer = Answered & {
  readonly images: readonly Answered[];
  /** How many answers were taken back; of very many at once only the last images are named. */
  readonly taken?: number;
};
/** A split that was taken back: images that are one question again and, if it is open, the one to be shown. */
export interface Rejoined {
  readonly together: wire.UndoneSplit["together"];
  readonly images: readonly Omit<Queued, "probability">[];
}
/** An answer of the past as the server lists it. */
export type PastAnswer = Answered &
  Omit<wire.RecordedAnswer, "source_image" | "tile" | "client" | "copy_of"> &
  Partial<Pick<wire.RecordedAnswer, "copy_of">>;
/** A table whose columns have no usual names: which one is missing, and those that there are. */
export type Unnamed = Omit<wire.ColumnQuestion, "detail">;

/** An answer on its way; the page always says who gave it and how, and names it, so that it is stored once. */
export type Annotation = Omit<wire.AnnotationBody, "source"> &
  Required<Pick<wire.AnnotationBody, "id" | "client">> & {
    readonly source: Source;
    /** All images that get the answer, `image` among them; sent by a request of its own. */
    readonly images?: readonly number[];
  };

/** Which answers of the past, and in which order. */
export type Filter = {
  readonly [Name in Exclude<keyof Asked, "limit" | "offset">]?: NonNullable<Asked[Name]>;
};
type Asked = NonNullable<wire.operations["get_annotations"]["parameters"]["query"]>;

/** How to read a file of labels. */
export interface Reading {
  readonly overwrite: boolean;
  readonly positive: readonly string[];
  readonly negative: readonly string[];
  /** The column of a table that names the image, and the one that names the class; absent: by their usual names. */
  readonly columns: Readonly<Partial<Record<ColumnName, string>>>;
}

/** The map of the folder without its points. */
export type FolderMap = wire.FolderMapOverview;
/** Images that lie together on the map. */
export type Cluster = wire.MapCluster;
/** An image of the map by name. */
export type MapImage = Omit<wire.MapImage, "source_image" | "tile">;
/** One answer to many images. */
export type ManyAnswers = Required<wire.MapAnswerBody>;
