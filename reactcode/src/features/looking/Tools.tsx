// Contrast, brightness, gamma and inverted, beside the image; answering goes on while they are open.
import { useEffect, useRef } from "react";
import { keyLabel } from "../../core/keys";
import { BOUNDS, PLAIN, written, type Look, type Part } from "../../core/session";
import { type Session, Press } from "../../ui";

const PARTS: readonly Part[] = ["contrast", "brightness", "gamma"];

export function Tools({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const section = useRef<HTMLElement>(null);
  const setLook = (look: Look) => engine.dispatch({ type: "look", look });
  useEffect(() => section.current?.focus(), []); // arrow keys belong to the sliders only after Tab
  return (
    <section className="tools" aria-label="Contrast and brightness" ref={section} tabIndex={-1}>
      {PARTS.map((part) => (
        <Slider key={part} part={part} look={state.look} setLook={setLook} />
      ))}
      <p>
        <Press
          className="switch"
          id="invert"
          aria-pressed={state.look.invert}
          onClick={() => setLook({ ...state.look, invert: !state.look.invert })}
        >
          Invert
        </Press>
        <span>
          <Press
            className="plain text"
            id="reset"
            title={`The key ${keyLabel(bindings.plain)} resets the zoom too`}
            onClick={() => setLook(PLAIN)}
          >
            Reset
          </Press>
          <Press className="plain text" onClick={() => engine.toggle("tools")}>
            Close
          </Press>
        </span>
      </p>
    </section>
  );
}

interface Props {
  readonly part: Part;
  readonly look: Look;
  readonly setLook: (look: Look) => void;
}

function Slider({ part, look, setLook }: Props) {
  const { least, most, step } = BOUNDS[part];
  return (
    <label title="Double-click to reset" onDoubleClick={() => setLook({ ...look, [part]: PLAIN[part] })}>
      <span>{part}</span>
      <input
        id={part}
        type="range"
        min={least}
        max={most}
        step={step}
        value={look[part]}
        aria-valuetext={written(part, look)}
        onChange={(event) => setLook({ ...look, [part]: Number(event.target.value) })}
      />
      <output htmlFor={part}>{written(part, look)}</output>
    </label>
  );
}
