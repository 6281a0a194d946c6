// The shapes of what goes over the wire, which are generated (wire.ts), by the names that the page has for them.
import type * as wire from "./wire";

export type Label = wire.AnsweredImage["label"];
/** How answers came, also those that the page did not give. */
export type AnySource = wire.RecordedAnswer["source"];
export type Source = Extract<AnySource, "key" | "button" | "timeout" | "grid">;
export type LoopState = wire.LoopStatus["trainer"];
export type Strategy = wire.StrategyBody["strategy"];
export type Counts = wire.Counts;
export type Classes = wire.ClassNames;
export type Status = wire.Status;
export type AskedFirst = wire.AskedFirst;
export type Queued = wire.QueuedImage;
export type HeatMap = wire.HeatMap;
export type Neighbour = wire.NearImage;
export type Explanation = wire.ImageExplanation;
export type QueueAnswer = wire.NextImages;
export type Annotation = wire.AnnotationBody;
export type Outcome = wire.BatchResults["results"][number];
export type BatchAnswer = wire.BatchResults;
export type Answered = wire.AnsweredImage;
export type UndoAnswer = wire.UndoneAnswers;
export type Rejoined = wire.UndoneSplit;
export type PastAnswer = wire.RecordedAnswer;
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
export type Unnamed = Omit<wire.ColumnQuestion, "detail">;
export type Finished = wire.FinishedLabels;
export type Doubtful = wire.DoubtfulBand;
export type FinishPreview = wire.FinishPreview;
export type LastImport = wire.LastImport;
export type ImportUndone = wire.ImportTakenBack;
export type PastPage = wire.AnswerPage;
export type SlipsPage = wire.SuspectedAnswers;
export type Liked = wire.ImagesLikeThis;
export type Instructions = wire.InstructionText;
export type FinishDecision = wire.FinishBody;

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

/** How to read a file of labels. */
export interface Reading {
  readonly overwrite: boolean;
  readonly positive: readonly string[];
  readonly negative: readonly string[];
  /** The column of a table that names the image, and the one that names the class; absent: by their usual names. */
  readonly columns: Readonly<Partial<Record<ColumnName, string>>>;
}
