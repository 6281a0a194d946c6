// The audit by randomly sampled questions: what is still to find, whether enough is found, what the model would miss.
import type { Audit, Range, Statistics } from "../../api";
import type { Engine } from "../../core/engine";
import { noun, count, counted, minutes, percent } from "../../core/words";
import { type Session, Figure, Press, inWords, Share, useChoices } from "../../ui";

const MINUTE_MS = 60_000;
const FEWEST_EXPECTED = 3; // with fewer expected positives in the sample, nothing can be said of the calibration
const FINE = " They agree with the answers so far.";

interface Props {
  readonly statistics: Statistics | null;
  readonly positive: string;
}

export function StillToFind({ statistics, positive, things }: Props & { readonly things: string }) {
  const title = `“${positive}” still to find`;
  const audit = statistics?.audit ?? null;
  if (audit === null || audit.rest.drawn === 0)
    return (
      <Figure title={title}>
        <p className="value">–</p>
        <p>{whyUnknown(audit, things)}</p>
      </Figure>
    );
  const { to_find, recall, rest, drawn } = audit;
  return (
    <Figure title={title}>
      <p className="value" id="to-find">
        {between(to_find)}
      </p>
      {recall && <Share share={null} {...recall} label="Found so far" />}
      <p>
        {recall && `${percentages(recall)} of all are found. `}
        95 % interval, from {count(rest.drawn)} of {count(rest.images)} {things}, chosen at random.
        {drawn > rest.drawn &&
          ` ${counted(drawn - rest.drawn, "more of them counts", "more of them count")} once an earlier one is answered.`}
      </p>
    </Figure>
  );
}

function whyUnknown(audit: Audit | null, things: string): string {
  if (audit !== null && audit.share > 0) return `None of the ${things} was chosen at random yet.`;
  return `Only answers to random ${things} tell this, not the model’s scores; this run asks about none.`;
}

export function Certificate({ session, statistics, positive }: Props & { readonly session: Session }) {
  const audit = statistics?.audit ?? null;
  const wanted = percent(audit?.certificate.recall ?? 0.95);
  return (
    <Figure title={`Are ${wanted} found?`}>
      {audit === null ? (
        <p className="value">–</p>
      ) : audit.certificate.given ? (
        <Given audit={audit} positive={positive} />
      ) : (
        <NotYet audit={audit} session={session} />
      )}
    </Figure>
  );
}

function Given({ audit, positive }: { readonly audit: Audit; readonly positive: string }) {
  const { recall, confidence } = audit.certificate;
  return (
    <>
      <p className="value" id="certificate">
        Yes
      </p>
      <p>
        At least {percent(recall)} of all “{positive}” are found, with {percent(confidence)} confidence.
      </p>
    </>
  );
}

function NotYet({ audit, session }: { readonly audit: Audit; readonly session: Session }) {
  const { engine, state } = session;
  const { recall, answers } = audit.certificate;
  const left = state.status?.left ?? 0;
  const { share, after, until = null } = state.status?.audit ?? audit; // the status is newer
  const isCertain = share === 1;
  const usual = useChoices(isCertain)?.usual_audit ?? null;
  const next = isCertain ? (after ?? usual) : 1;
  const time = timeFor(answers, session.engine);
  return (
    <>
      <p className="value" id="certificate">
        Not sure yet
      </p>
      {audit.rest.drawn === 0 ? (
        <p>Only answers to random {noun(state.status)} tell how many it takes, and there is none yet.</p>
      ) : (
        <p>
          It takes about {counted(answers, "more answer", "more answers")} to {noun(state.status)} chosen at
          random
          {time !== null && `, ${time} at your pace`}, to be sure of {percent(recall)}
          {answers >= left && ": all that are left"}.
        </p>
      )}
      {isCertain && (
        <p>
          All questions are chosen at random until{" "}
          {until === null ? "then" : counted(until, "of them is answered", "of them are answered")}.
        </p>
      )}
      <Press
        className="switch"
        id="at-random"
        onClick={() => next !== null && void engine.wishes.drawAtRandom(next)}
      >
        {isCertain ? "Let the model ask" : "Ask at random"}
      </Press>
    </>
  );
}

/** How long so many answers take, in whole minutes; null before there is a pace. */
function timeFor(answers: number, engine: Engine): string | null {
  const image_ms = engine.image_ms();
  return image_ms === null ? null : minutes(MINUTE_MS * Math.ceil((answers * image_ms) / MINUTE_MS));
}

export function Labelled({ statistics, positive, session }: Props & { readonly session: Session }) {
  const audit = statistics?.audit ?? null;
  const model = audit?.model ?? null;
  return (
    <Figure title={`If the model labelled all other ${noun(session.state.status)} now`} className="wide">
      {model === null ? (
        <>
          <p className="value">–</p>
          <p>
            This needs a model, and answers to random {noun(session.state.status)} that it has not learnt.
          </p>
        </>
      ) : (
        <>
          <Precision precision={model.precision} positive={positive} />
          {model.recall && (audit?.rest.drawn ?? 0) > 0 && (
            <>
              <Share share={null} {...model.recall} label={`“${positive}” found then`} />
              <p>
                You and the model together would find {percentages(model.recall)} of all “{positive}”.
              </p>
            </>
          )}
        </>
      )}
      <Calibration calibration={audit?.calibration ?? null} positive={positive} />
      <Press className="switch" id="to-finish" onClick={() => session.engine.toggle("finish")}>
        Look at what it would label
      </Press>
    </Figure>
  );
}

function Precision({
  precision,
  positive,
}: {
  readonly precision: NonNullable<Audit["model"]>["precision"];
  readonly positive: string;
}) {
  if (precision === null) return <p>The model would call none of them “{positive}”.</p>;
  const { right, of, low, high } = precision;
  return (
    <>
      <Share
        share={of > 0 ? right / of : null}
        low={low}
        high={high}
        label={`“${positive}” that are right`}
      />
      <p>
        Of what the model would call “{positive}”,{" "}
        {of > 0
          ? `${count(right)} of ${count(of)} chosen at random ${right === 1 ? "is" : "are"}`
          : "none was chosen at random"}
        {of > 0 && ` right${inWords(low, high)}`}.
      </p>
    </>
  );
}

function Calibration({
  calibration,
  positive,
}: {
  readonly calibration: Audit["calibration"];
  readonly positive: string;
}) {
  if (calibration === null) return null;
  const { images, positives, expected, low, high } = calibration;
  return (
    <p id="calibration">
      Of {count(images)} chosen at random, {count(positives)} {positives === 1 ? "is" : "are"} “{positive}”;
      the model’s probabilities say {between({ low, high })}.{positives < low && " They are too high."}
      {positives > high && " They are too low."}
      {positives >= low && positives <= high && expected >= FEWEST_EXPECTED && FINE}
    </p>
  );
}

/** A range of whole numbers. */
function between({ low, high }: Range): string {
  if (low === high) return low === 0 ? "none" : count(low);
  return `${count(low)} to ${count(high)}`;
}

/** A range of shares in per cent, rounded outwards so that it claims no more than is known. */
function percentages({ low, high }: Range): string {
  return `${Math.floor(100 * low)} to ${Math.ceil(100 * high)} %`;
}
