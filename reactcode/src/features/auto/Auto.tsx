// AUTO: on and off, how fast, and pause.
import { keyLabel, perform } from "../../core/keys";
import { autoRuns, SPEED } from "../../core/session";
import { noun, perSecond } from "../../core/words";
import { type Session, Icon, Press } from "../../ui";

export function Auto({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const pauseName = state.paused ? "Go on" : "Pause";
  return (
    <div className="auto" role="group" aria-label="AUTO">
      <Press
        id="auto"
        className="switch"
        aria-pressed={state.auto}
        title={`No answer in time counts as ${state.status?.classes.negative ?? "negative"} (${keyLabel(bindings.auto)})`}
        onClick={() => perform(engine, "auto", "button")}
      >
        AUTO
      </Press>
      <input
        id="speed"
        type="range"
        aria-label={`AUTO speed, ${noun(state.status)} a second`}
        min={SPEED.least}
        max={SPEED.most}
        step={0.1}
        value={state.speed}
        onChange={(event) => engine.setSpeed(Number(event.target.value))}
      />
      <output htmlFor="speed">{perSecond(state.speed)}/s</output>
      <Press
        id="pause"
        className="plain"
        aria-label={pauseName}
        aria-pressed={state.paused}
        title={autoRuns(state) ? pauseName : `${pauseName} (${keyLabel(bindings.pause)})`}
        onClick={() => perform(engine, "pause", "button")}
      >
        <Icon name={state.paused ? "play" : "pause"} />
      </Press>
    </div>
  );
}
