// What a person takes home: the images sorted, the answers for other programs, and the predictor.
import { useState } from "react";
import type { Choices, Status } from "../../api";
import { count, nameOf } from "../../core/words";
import { useChoices } from "../../ui";

type Offer = Choices["exports"][number];

export function Downloads({ status }: { readonly status: Status }) {
  const [isRolledUp, setRolledUp] = useState(false);
  const photos = isRolledUp ? "&roll_up=true" : "";
  const [first, ...others] = useChoices()?.exports ?? [];
  const purposeOf = ({ use }: Offer) =>
    use
      .replaceAll("{positive}", nameOf(status, "positive"))
      .replaceAll("{negative}", nameOf(status, "negative"));
  return (
    <section className="downloads" aria-label="Downloads">
      {first && (
        <p className="sorted">
          <Export format={first.name + photos}>{first.title}</Export>
          <span>{purposeOf(first)}</span>
        </p>
      )}
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
          All downloads have the model’s labels, too; in tables the column “source” marks them.
        </p>
      )}
      <ul>
        {others.map((offer) => (
          <li key={offer.name}>
            <Export format={offer.name + photos}>{offer.title}</Export>: {purposeOf(offer)}
            {offer.scheme !== null && (
              <>
                ; its project needs{" "}
                <a href={`${offer.scheme}${isRolledUp ? "?roll_up=true" : ""}`} download>
                  this config
                </a>
              </>
            )}
          </li>
        ))}
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

function Export({ format, children }: { readonly format: string; readonly children: string }) {
  return (
    <a href={`api/export?format=${format}`} download>
      {children}
    </a>
  );
}
