// The line at the top: progress, positives found, pace, the model, and the buttons of the panels.
import type { CSSProperties } from "react";
import type { Status } from "../../api";
import { answeredCount, answeredHere } from "../../core/session";
import { noun, count, nameOf } from "../../core/words";
import type { Session } from "../../ui";
import { LookedFor } from "../prompt";
import { PanelButtons } from "./PanelButtons";
import { Model } from "./Model";
import { Speed } from "./Speed";

export function Header({ session }: { readonly session: Session }) {
  const { status } = session.state;
  return (
    <header className="top" style={roomFor(status)}>
      <h1 className="unseen">Intelligent Annotation</h1>
      <Answered status={status} />
      {status && <Counts status={status} />}
      {status && (
        <Speed
          engine={session.engine}
          things={noun(status)}
          answers={answeredHere(session.state)}
          unreadable={status.unreadable}
        />
      )}
      <LookedFor session={session} />
      {status && <Model status={status} />}
      <PanelButtons session={session} />
      <Line status={status} />
    </header>
  );
}

/** Reserves room for the largest number that each count can become, so that nothing moves. */
function roomFor(status: Status | null): CSSProperties {
  return { "--digits": count(status?.images ?? 0).length } as CSSProperties;
}

function Answered({ status }: { readonly status: Status | null }) {
  return (
    <p className="sofar">
      <b id="answered">{status ? count(answeredCount(status)) : "–"}</b>
      <span> / {status ? count(status.images) : "–"}</span>
      <span className="unit"> answered</span>
    </p>
  );
}

function Line({ status }: { readonly status: Status | null }) {
  const part = status && status.images > 0 ? answeredCount(status) / status.images : 0;
  return (
    <div
      className="line"
      role="progressbar"
      aria-label="answered"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * part)}
    >
      <div style={{ transform: `scaleX(${part})` }} />
    </div>
  );
}

function Counts({ status }: { readonly status: Status }) {
  return (
    <dl className="counts">
      <div className="positive">
        <dt title={nameOf(status, "positive")}>{nameOf(status, "positive")}</dt>
        <dd id="positives">{count(status.positives)}</dd>
      </div>
      <div className="negative">
        <dt title={nameOf(status, "negative")}>{nameOf(status, "negative")}</dt>
        <dd id="negatives">{count(status.negatives)}</dd>
      </div>
      <div>
        <dt>skipped</dt>
        <dd id="skipped">{count(status.skipped)}</dd>
      </div>
      <div>
        <dt>left</dt>
        <dd id="left">{count(status.left)}</dd>
      </div>
    </dl>
  );
}
