// Progress at a glance: what was found, what was asked, how often the model was right, how the work goes.
import type { Statistics, Status } from "../../api";
import { away, LAST_KNOWN, noun, count, counted, nameOf, ofPhotos, sourceName } from "../../core/words";
import { SlipsWaiting } from "../slips";
import { type Session, Dialog, Figure, inWords, Share } from "../../ui";
import { Certificate, Labelled, StillToFind } from "./Audit";
import { dots, line } from "./plot";
import { Plot } from "./Plot";
import { useStatistics } from "./useStatistics";
import { Work } from "./Work";

export function Progress({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const { answer: statistics, error } = useStatistics(state);
  const positive = nameOf(state.status, "positive");
  const copies = state.status?.alike ?? 0;
  const images = (state.status?.images ?? 0) - copies;
  return (
    <Dialog title="Progress" className="progress" onClose={() => engine.toggle("progress")}>
      <div className="figures" aria-busy={statistics === null}>
        <Found
          statistics={statistics}
          positive={positive}
          images={images}
          copies={copies}
          status={state.status}
        />
        <Asked statistics={statistics} positive={positive} />
        <StillToFind statistics={statistics} positive={positive} things={noun(state.status)} />
        <Certificate session={session} statistics={statistics} positive={positive} />
        <Labelled statistics={statistics} positive={positive} session={session} />
        <Right statistics={statistics} />
        <SlipsWaiting session={session} statistics={statistics} />
        <Work session={session} positive={positive} />
        <Sources statistics={statistics} />
      </div>
      <p className="stale" role="status">
        {error !== null && away(statistics ? LAST_KNOWN : undefined)}
      </p>
    </Dialog>
  );
}

interface Props {
  readonly statistics: Statistics | null;
  readonly positive: string;
}

interface FoundProps extends Props {
  /** Near duplicates count as one. */
  readonly images: number;
  /** So many are near duplicates of another one. */
  readonly copies: number;
  readonly status: Status | null;
}

function Found({ statistics, positive, images, copies, status }: FoundProps) {
  const answers = statistics?.curve.answers ?? [];
  const positives = statistics?.curve.positives ?? [];
  const found = positives.at(-1) ?? 0;
  const given = answers.at(-1) ?? 0;
  const expected = images > 0 ? (found * given) / images : 0;
  const hasRandom = found > 0 && images > 0;
  const random = hasRandom
    ? ` In random order it would be ${expected.toFixed(1)} on average, if there are no others.`
    : "";
  return (
    <Figure title={`“${positive}” found`} className="wide">
      <Plot
        label={`${count(found)} “${positive}” found in ${counted(given, "answer", "answers")}.${random}`}
        mostX={Math.max(given, 1)}
        mostY={Math.max(found, 1)}
      >
        {(at) => (
          <>
            {hasRandom && <path className="random" d={line([at(0, 0), at(given, expected)])} />}
            <path
              className="found"
              d={line([at(0, 0), ...answers.map((x, place) => at(x, positives[place] ?? 0))])}
            />
          </>
        )}
      </Plot>
      <p className="legend">
        <span className="found">
          {count(found)} found in {counted(given, "answer", "answers")}, skips not counted
          {copies > 0 && ", near duplicates counted once"}
        </span>
        {hasRandom && <span className="random">random order, if there are no others</span>}
      </p>
      <RolledUp status={status} positive={positive} />
    </Figure>
  );
}

/** A photo is positive if one of its tiles is. */
function RolledUp({ status, positive }: { readonly status: Status | null; readonly positive: string }) {
  const photos = status?.photos_positive;
  if (!status?.tile || photos === undefined) return null;
  return (
    <p id="photos-positive">
      {count(photos)} {photos === 1 ? "photo" : "photos"} with “{positive}”; there are {ofPhotos(status)}
    </p>
  );
}

function Asked({ statistics, positive }: Props) {
  const { answers, probability } = statistics?.asked ?? { answers: [], probability: [] };
  const known = answers.flatMap((x, place) => {
    const y = probability[place] ?? null;
    return y === null ? [] : [[x, 100 * y] as const];
  });
  const last = known.at(-1);
  const lately = last ? ` The last: ${Math.round(last[1])} %.` : " None is known yet.";
  return (
    <Figure title="How probable it was when asked" className="wide">
      <Plot
        label={`Probability of “${positive}” when asked, answer by answer.${lately}`}
        mostX={Math.max(answers.at(-1) ?? 0, 1)}
        mostY={100}
        unitY=" %"
      >
        {(at) => <path className="asked" d={dots(known.map(([x, y]) => at(x, y)))} />}
      </Plot>
      <p className="legend">
        <span className="asked">
          {known.length > 0
            ? `the model’s probability of “${positive}” before the answer`
            : "no probability is known yet"}
        </span>
      </p>
    </Figure>
  );
}

function Right({ statistics }: { readonly statistics: Statistics | null }) {
  const scored = statistics?.prequential ?? null;
  if (scored === null || scored.of === 0)
    return (
      <Figure title="The model was right">
        <p className="value">–</p>
        <p>The model has not predicted an answer in advance yet.</p>
      </Figure>
    );
  const { right, of, low, high } = scored;
  return (
    <Figure title={`The model was right on the last ${count(of)}`}>
      <p className="value">
        {count(right)} <small>of {count(of)}</small>
      </p>
      <Share share={right / of} low={low} high={high} label="Right" />
      <p>
        {Math.round((100 * right) / of)} %{inWords(low, high)}. The model predicted each before the answer was
        given.
      </p>
    </Figure>
  );
}

/** How often AUTO was wrong, by the images that were asked again. */
function Repeats({ asked, missed, low, high }: Statistics["repeats"]) {
  if (asked === 0) return null;
  const range =
    low === null || high === null ? "" : ` (${Math.round(100 * low)} to ${Math.round(100 * high)} %)`;
  return (
    <p id="repeats">
      Of {counted(asked, "AUTO answer", "AUTO answers")} asked again blindly, {counted(missed, "was", "were")}{" "}
      wrong{range}.
    </p>
  );
}

function Sources({ statistics }: { readonly statistics: Statistics | null }) {
  const given = Object.entries(statistics?.sources ?? {}).filter(([, answers]) => answers > 0);
  const most = Math.max(...given.map(([, answers]) => answers), 1);
  return (
    <Figure title="Answers by source" className="wide">
      {given.length === 0 && <p className="value">–</p>}
      <dl className="bars">
        {given.map(([source, answers]) => (
          <div key={source}>
            <dt>{sourceName(source)}</dt>
            <dd>
              <i style={{ width: `${(100 * answers) / most}%` }} />
              <span>{count(answers)}</span>
            </dd>
          </div>
        ))}
      </dl>
      {statistics && <Repeats {...statistics.repeats} />}
    </Figure>
  );
}
