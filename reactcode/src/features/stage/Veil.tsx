// A pause covers the image and says how to go on; nothing that is for the image goes through meanwhile.
import { useRef } from "react";
import { keyLabel, perform } from "../../core/keys";
import { isGridShown } from "../../core/session";
import { useFocusMeanwhile, type Session, Press } from "../../ui";

export function Veil({ session }: { readonly session: Session }) {
  const { state } = session;
  return state.paused && !isGridShown(state) ? <Cover session={session} /> : null;
}

function Cover({ session }: { readonly session: Session }) {
  const host = useRef<HTMLElement>(null);
  useFocusMeanwhile(host);
  return (
    <section id="veil" className="veil" ref={host} tabIndex={-1} aria-labelledby="paused">
      <p id="paused">
        Paused.{" "}
        <span className="how">
          <kbd>{keyLabel(session.bindings.pause)}</kbd> goes on
        </span>
      </p>
      <Press id="veil-off" className="switch" onClick={() => perform(session.engine, "pause", "button")}>
        Go on
      </Press>
    </section>
  );
}
