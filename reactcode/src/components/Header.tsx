// The line at the top: how far, what was found, how fast, what the model knows, and the doors to the panels.
import type { Status } from "../api";
import { keyLabel } from "../bindings";
import { type Action } from "../keys";
import { answeredCount, type Panel } from "../session";
import type { Session } from "../useSession";
import { count, nameOf } from "../words";
import { GridDoor } from "./GridBar";
import { Icon } from "./Icon";
import { Model } from "./Model";
import { Press } from "./Press";
import { Speed } from "./Speed";

export function Header({ session }: { readonly session: Session }) {
  const { status } = session.state;
  return (
    <header className="top">
      <h1 className="unseen">Intelligent Annotation</h1>
      <Progress status={status} />
      {status && <Counts status={status} session={session} />}
      {status && <Model status={status} />}
      <Doors session={session} />
      <Line status={status} />
    </header>
  );
}

function Progress({ status }: { readonly status: Status | null }) {
  return (
    <p className="progress">
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

function Counts({ status, session }: { readonly status: Status; readonly session: Session }) {
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
      {status.unreadable > 0 && (
        <div className="unreadable">
          <dt>unreadable</dt>
          <dd id="unreadable">{count(status.unreadable)}</dd>
        </div>
      )}
      <Speed engine={session.engine} />
    </dl>
  );
}

const DOORS: readonly {
  readonly panel: Panel;
  readonly icon: "tools" | "board" | "info" | "help";
  readonly title: string;
  readonly action?: Action;
}[] = [
  { panel: "tools", icon: "tools", title: "Contrast and brightness" },
  { panel: "tensorboard", icon: "board", title: "TensorBoard", action: "tensorboard" },
  { panel: "info", icon: "info", title: "About this run" },
  { panel: "help", icon: "help", title: "Keys", action: "help" },
];

function Doors({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const doors = DOORS.filter(({ panel }) => panel !== "tensorboard" || state.status?.tensorboard);
  return (
    <nav className="doors" aria-label="Panels">
      <GridDoor session={session} />
      <Press
        className="plain"
        id="zoom"
        aria-label="Zoom"
        aria-pressed={state.zoom}
        title={`Zoom to the file's own pixels (${keyLabel(bindings.zoom)})`}
        onClick={() => engine.act("zoom", "button")}
      >
        <Icon name="zoom" />
      </Press>
      {doors.map(({ panel, icon, title, action }) => (
        <Press
          key={panel}
          className="plain"
          id={panel}
          aria-label={title}
          aria-expanded={state.panel === panel}
          title={action ? `${title} (${keyLabel(bindings[action])})` : title}
          onClick={() => engine.toggle(panel)}
        >
          <Icon name={icon} />
        </Press>
      ))}
    </nav>
  );
}
