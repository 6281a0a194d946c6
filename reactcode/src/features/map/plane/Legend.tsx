// What the colours of the points mean, and the choice between answer, probability and prior.
import type { Status } from "../../../api";
import { COLOURINGS, type Colouring, inkOf, LEGEND, type Points, tally, UNKNOWN } from "../../../core/map";
import { count, nameOf } from "../../../core/words";
import type { Session } from "../../../ui";

const TITLES: Readonly<Record<Colouring, string>> = {
  answer: "answer",
  probability: "probability",
  prior: "prior",
};
const STEPS = 9;
const ENDS: Readonly<Record<"probability" | "prior", readonly [string, string]>> = {
  probability: ["0 %", "100 %"],
  prior: ["late", "early"],
};

interface Props {
  readonly session: Session;
  readonly points: Points;
  readonly colouring: Colouring;
  readonly isDark: boolean;
  readonly onChange: (colouring: Colouring) => void;
}

export function Legend({ session, points, colouring, isDark, onChange }: Props) {
  const css = (value: number) => `rgb(${inkOf(colouring, value, isDark).join(" ")})`;
  return (
    <div className="colours">
      {session.state.blind ? (
        <p className="quiet">Coloured by answer; the probability is hidden.</p>
      ) : (
        <label>
          <span>colour by</span>
          <select
            id="map-colours"
            value={colouring}
            onChange={(event) => {
              onChange(event.target.value as Colouring);
              event.target.blur(); // the keys belong to the map again
            }}
          >
            {COLOURINGS.map((one) => (
              <option key={one} value={one}>
                {TITLES[one]}
              </option>
            ))}
          </select>
        </label>
      )}
      {colouring === "answer" ? (
        <Answers session={session} points={points} css={css} />
      ) : (
        <Ramp points={points} colouring={colouring} css={css} />
      )}
    </div>
  );
}

/** What a person reads for each code of ANSWER. */
export function answerNames(status: Status | null): readonly string[] {
  const [positive, negative] = [nameOf(status, "positive"), nameOf(status, "negative")];
  return ["open", positive, negative, "skipped", "unreadable", "labelled by the model"];
}

interface AnswersProps {
  readonly session: Session;
  readonly points: Points;
  readonly css: (value: number) => string;
}

function Answers({ session: { state }, points, css }: AnswersProps) {
  const counts = tally(points);
  const names = answerNames(state.status);
  return (
    <ul className="swatches">
      {LEGEND.filter((code) => (counts[code] ?? 0) > 0).map((code) => (
        <li key={code}>
          <i style={{ background: css(code) }} />
          {names[code]} <span className="quiet">{count(counts[code] ?? 0)}</span>
        </li>
      ))}
    </ul>
  );
}

interface RampProps {
  readonly points: Points;
  readonly colouring: "probability" | "prior";
  readonly css: (value: number) => string;
}

function Ramp({ points, colouring, css }: RampProps) {
  const isKnown = points[colouring].some((value) => value !== UNKNOWN);
  if (!isKnown)
    return (
      <p className="quiet">
        {colouring === "probability"
          ? "There are no probabilities yet."
          : "There is no prior: no prompt, examples or scores were given."}
      </p>
    );
  const stops = Array.from({ length: STEPS }, (_, n) => css(Math.round((n / (STEPS - 1)) * (UNKNOWN - 1))));
  const [low, high] = ENDS[colouring];
  return (
    <p className="ramp">
      {low}
      <i style={{ background: `linear-gradient(to right, ${stops.join(", ")})` }} />
      {high}
    </p>
  );
}
