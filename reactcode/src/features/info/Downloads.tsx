// What a person takes home: the images sorted, the answers for other programs, and the predictor.
import { useState } from "react";
import type { Status } from "../../api";
import { count, nameOf } from "../../core/words";

interface Offer {
  readonly format: string;
  readonly name: string;
  readonly use: string;
}

const OFFERS: readonly Offer[] = [
  {
    format: "csv",
    name: "CSV",
    use: "a table for a spreadsheet: every answer with its time and probability",
  },
  { format: "jsonl", name: "JSON lines", use: "the same for a script, one answer a line" },
  {
    format: "imagefolder",
    name: "Hugging Face",
    use: "a zip of images and metadata.csv for the datasets library",
  },
  { format: "coco", name: "COCO", use: "JSON for training programs that read COCO" },
];

export function Downloads({ status }: { readonly status: Status }) {
  const [isRolledUp, setRolledUp] = useState(false);
  const photos = isRolledUp ? "&roll_up=true" : "";
  return (
    <section className="downloads" aria-label="Downloads">
      <Sorted status={status} photos={photos} />
      {status.tile && (
        <label className="rolled-up">
          <input
            type="checkbox"
            checked={isRolledUp}
            onChange={(event) => setRolledUp(event.target.checked)}
          />
          <span>
            Whole photos: {nameOf(status, "positive")} if any tile is, {nameOf(status, "negative")} once all
            are
          </span>
        </label>
      )}
      {status.finished && (
        <p className="quiet">
          What the model has labelled is in all of them, too; tables say so in the column source.
        </p>
      )}
      <ul>
        {OFFERS.map(({ format, name, use }) => (
          <li key={format}>
            <Export format={format + photos}>{name}</Export>: {use}
          </li>
        ))}
        <li>
          <Export format={`label-studio${photos}`}>Label Studio</Export>: tasks to import there; its project
          needs{" "}
          <a href={`api/export/label-studio.xml${isRolledUp ? "?roll_up=true" : ""}`} download>
            this config
          </a>
        </li>
        {status.skipped > 0 && (
          <li>
            <Export format={`csv&label=skipped${photos}`}>Skipped images</Export>: a table of those without a
            label, {count(status.skipped)} {status.tile ? "tiles " : ""}so far
          </li>
        )}
        {status.model && (
          <li>
            <a href="api/predictor" download>
              predictor.ckpt
            </a>
            : the model, to answer the question for other folders
          </li>
        )}
      </ul>
    </section>
  );
}

/** First, because it is what most people want. */
function Sorted({ status, photos }: { readonly status: Status; readonly photos: string }) {
  return (
    <p className="sorted">
      <Export format={`folders${photos}`}>Images, sorted</Export>
      <span>
        a zip with a folder for {nameOf(status, "positive")} and one for {nameOf(status, "negative")}
      </span>
    </p>
  );
}

function Export({ format, children }: { readonly format: string; readonly children: string }) {
  return (
    <a href={`api/export?format=${format}`} download>
      {children}
    </a>
  );
}
