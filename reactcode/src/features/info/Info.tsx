// About this run: where it is, how it asks, what the model is worth, and what can be taken home.
import type { Status, Strategy } from "../../api";
import { count, counted, ofPhotos } from "../../core/words";
import { isOff } from "../header";
import { LastImport } from "../import";
import { type Session, Dialog, useChoices } from "../../ui";
import { ChooseImages, type Uploads } from "../upload";
import { Downloads } from "./Downloads";

/** What the order rests on before there are answers. */
const PRIOR = {
  examples: () => "what is like the examples",
  prompt: (words: string) => `“${words}”`,
  scores: () => "high scores",
} as const;

interface Props {
  readonly session: Session;
  /** Null where this session takes no images. */
  readonly upload: Uploads | null;
}

export function Info({ session, upload }: Props) {
  const { status } = session.state;
  return (
    <Dialog title="About this run" className="info" onClose={() => session.engine.toggle("info")}>
      {status && <About status={status} />}
      {status && !isOff(status) && <Learning status={status} session={session} />}
      {status && <Downloads status={status} />}
      <p className="adding">
        {upload && <ChooseImages upload={upload} />}
        <button
          type="button"
          id="import"
          className="plain text"
          onClick={() => session.engine.toggle("import")}
        >
          Take over labels that you have already…
        </button>
      </p>
      <LastImport />
    </Dialog>
  );
}

function About({ status }: { readonly status: Status }) {
  return (
    <dl className="facts">
      <dt>folder</dt>
      <dd>{status.datadir}</dd>
      <dt>run</dt>
      <dd>{status.run}</dd>
      <dt>images</dt>
      <dd>
        {ofPhotos(status)}
        {status.listing && ", still searching"}
        {(status.alike ?? 0) > 0 && `, ${count(status.alike ?? 0)} of them near duplicates of others`}
      </dd>
      {status.scores && (
        <>
          <dt>scores</dt>
          <dd>{status.scores}</dd>
        </>
      )}
    </dl>
  );
}

function Learning({ status, session }: { readonly status: Status; readonly session: Session }) {
  const strategies = useChoices()?.strategies ?? [{ name: status.strategy, meaning: "" }];
  const { model, ranking, embedding } = status;
  const { sources = [], prompt = "" } = status.prior ?? {};
  return (
    <>
      <label className="strategy">
        <span>ask</span>
        <select
          id="strategy"
          value={status.strategy}
          onChange={(event) => void session.engine.wishes.chooseStrategy(event.target.value as Strategy)}
        >
          {strategies.map(({ name, meaning }) => (
            <option key={name} value={name}>
              {meaning}
            </option>
          ))}
        </select>
      </label>
      <dl className="facts">
        {sources.length > 0 && (
          <>
            <dt>looked for</dt>
            <dd id="prior">{sources.map((source) => PRIOR[source](prompt)).join("; ")}</dd>
          </>
        )}
        <dt>model</dt>
        <dd>
          {model
            ? `no. ${model.generation}, learnt ${counted(model.labels, "answer", "answers")}`
            : "none yet"}
        </dd>
        {model && <Metrics metrics={model.metrics} />}
        <dt>ranking</dt>
        <dd>
          {ranking
            ? `no. ${ranking.generation}, from ${counted(ranking.labels, "answer", "answers")}`
            : "none yet"}
        </dd>
        <dt>embedded</dt>
        <dd>
          {count(embedding.done)} of {count(embedding.total)}, by {status.network}
        </dd>
        {status.behind != null && (
          <>
            <dt>behind it</dt>
            <dd id="behind">{status.behind}</dd>
          </>
        )}
        {Object.entries(status.loops).map(([name, loop]) => [
          <dt key={name}>{name}</dt>,
          <dd key={`${name} state`}>{loop}</dd>,
        ])}
      </dl>
    </>
  );
}

function Metrics({ metrics }: { readonly metrics: Readonly<Record<string, number>> }) {
  const { accuracy, average_precision: precision, fine_tuned_on: tuned } = metrics;
  return (
    <>
      <dt>on held-out answers</dt>
      <dd>
        accuracy {accuracy === undefined ? "–" : accuracy.toFixed(3)}, average precision{" "}
        {precision === undefined ? "–" : precision.toFixed(3)}
      </dd>
      {tuned !== undefined && (
        <>
          <dt>network</dt>
          <dd>fine-tuned on {count(tuned)} answers</dd>
        </>
      )}
    </>
  );
}
