// Contrast and brightness, beside the image; answering goes on while they are open.
import { PLAIN, type Look } from "../useLook";
import type { Session } from "../useSession";
import { Press } from "./Press";

interface Props {
  readonly session: Session;
  readonly look: Look;
  readonly setLook: (look: Look) => void;
}

export function Tools({ session, look, setLook }: Props) {
  return (
    <section className="tools" aria-label="Contrast and brightness">
      {(["contrast", "brightness"] as const).map((part) => (
        <label key={part} onDoubleClick={() => setLook({ ...look, [part]: PLAIN[part] })}>
          <span>{part}</span>
          <input
            id={part}
            type="range"
            min={20}
            max={300}
            step={5}
            value={look[part]}
            onChange={(event) => setLook({ ...look, [part]: Number(event.target.value) })}
          />
          <output>{look[part]} %</output>
        </label>
      ))}
      <p>
        <Press className="plain text" id="reset" onClick={() => setLook(PLAIN)}>
          Reset
        </Press>
        <Press className="plain text" onClick={() => session.engine.toggle("tools")}>
          Close
        </Press>
      </p>
    </section>
  );
}
