// Answers of the server for the tests, or parts of them; tsc holds each against openapi.json.
import type * as wire from "../api/wire";

/** How the server names an image that is no tile. */
export const named = (path: string) => ({ path, source_image: path, tile: null });

export const RUNNING: wire.LoopStatus = { trainer: "running", inference: "running", selector: "running" };

/** Nothing was drawn at random yet. */
export const NO_AUDIT: wire.AuditFigures = {
  share: 0,
  after: null,
  until: null,
  random: { answered: 0, needed: 50 },
  drawn: 0,
  to_find: { low: 0, high: 20 },
  certificate: { recall: 0.95, confidence: 0.95, given: false, answers: 20 },
  asked: 0,
  rest: { images: 20, drawn: 0, positives: 0 },
  prevalence: { low: 0, high: 1 },
  positives: { low: 0, high: 20 },
  recall: null,
  model: null,
  calibration: null,
};

/** A run of no images, in which everything works. */
export const NEW_RUN: wire.Status = {
  id: "1d",
  run: "runs/r",
  datadir: "/d",
  classes: { positive: "hat", negative: "no hat" },
  images: 0,
  photos: 0,
  photos_positive: 0,
  tile: null,
  positives: 0,
  negatives: 0,
  skipped: 0,
  left: 0,
  alike: 0,
  unreadable: 0,
  listing: false,
  strategy: "max_prob",
  prior: { sources: [], prompt: "" },
  scores: null,
  network: "n",
  behind: null,
  model: null,
  ranking: null,
  embedding: { done: 0, total: 0, percent: 0 },
  loops: RUNNING,
  tensorboard: true,
  instructions: null,
  upload: false,
  auto_idle: 180,
  audit: NO_AUDIT,
  asked_first: null,
  finished: null,
  map: null,
  page: null,
};

/** Nothing was answered yet. */
export const NO_STATISTICS: wire.WorkStatistics = {
  answers: 0,
  curve: { answers: [0], positives: [0] },
  asked: { answers: [], probability: [] },
  prequential: null,
  repeats: { asked: 0, missed: 0, low: null, high: null },
  sources: {},
  audit: NO_AUDIT,
};

/** There is no model yet that could label anything. */
export const NO_MODEL: wire.FinishPreview = {
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

/** What the menus offer. */
export const CHOICES: wire.PageChoices = {
  strategies: [
    { name: "max_prob", meaning: "most probable first: finds positives" },
    { name: "entropy", meaning: "most uncertain first: improves the model" },
    { name: "min_prob", meaning: "least probable first: checks negatives" },
    { name: "min_entropy", meaning: "most certain first: checks the model" },
    { name: "random", meaning: "at random" },
  ],
  exports: [
    {
      name: "folders",
      title: "Images, sorted",
      use: "a zip with a folder for {positive} and one for {negative}",
      has_images: true,
      scheme: null,
    },
    {
      name: "csv",
      title: "CSV",
      use: "a table for a spreadsheet: every answer with its time and probability",
      has_images: false,
      scheme: null,
    },
    {
      name: "jsonl",
      title: "JSON lines",
      use: "the same for a script, one answer a line",
      has_images: false,
      scheme: null,
    },
    {
      name: "imagefolder",
      title: "Hugging Face",
      use: "a zip of images and metadata.csv for the datasets library",
      has_images: true,
      scheme: null,
    },
    {
      name: "coco",
      title: "COCO",
      use: "JSON for training programs that read COCO",
      has_images: false,
      scheme: null,
    },
    {
      name: "label-studio",
      title: "Label Studio",
      use: "tasks to import there",
      has_images: false,
      scheme: "api/export/label-studio.xml",
    },
  ],
  import_suffixes: [".pickle", ".pkl", ".csv", ".tsv", ".jsonl", ".ndjson", ".json"],
  usual_audit: 0.02,
};

/** Of none of the images. */
export const NO_IMAGES: wire.SomeImages = { images: 0, examples: [] };

/** A file of labels that says nothing of any image. */
export const NO_LABELS: wire.ImportPlan = {
  positive: 0,
  negative: 0,
  skipped: 0,
  same: 0,
  by_model: 0,
  unlabelled: 0,
  rules: [],
  unread: {},
  conflicts: NO_IMAGES,
  contradictions: NO_IMAGES,
  ambiguous: NO_IMAGES,
  elsewhere: NO_IMAGES,
  claimed: NO_IMAGES,
  of_photos: NO_IMAGES,
  unknown: NO_IMAGES,
};
