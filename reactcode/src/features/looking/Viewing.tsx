// While the view is zoomed: the scale, whether the view stays for the next images, and the way back.
import { keyLabel, perform } from "../../core/keys";
import { type Session, Icon, Press } from "../../ui";
import type { Lens } from "./lens";

interface Props {
  readonly session: Session;
  readonly lens: Lens;
}

export function Viewing({ session, lens }: Props) {
  const { engine, state, bindings } = session;
  const pinning = state.pinned ? "Kept for the next images" : "Keep this view for the next images";
  return (
    <div className="viewing" id="viewing" role="group" aria-label="Zoom">
      <span
        id="scale"
        ref={(label) => {
          lens.glass.writeScaleTo(label);
          return () => lens.glass.writeScaleTo(null);
        }}
      />
      <Press
        id="pin"
        className="plain small"
        aria-label={pinning}
        aria-pressed={state.pinned}
        title={`${pinning} (${keyLabel(bindings.pin)})`}
        onClick={() => perform(engine, "pin", "button")}
      >
        <Icon name="pin" />
      </Press>
      <Press
        id="whole"
        className="plain small"
        aria-label="The whole image"
        title={`The whole image (${keyLabel(bindings.zoom)})`}
        onClick={() => engine.dispatch({ type: "zoom", zoom: false })}
      >
        <Icon name="whole" />
      </Press>
    </div>
  );
}
