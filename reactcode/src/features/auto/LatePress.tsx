// In AUTO: which earlier image a late press was given to, and that an image is shown once more in peace.
import { pictureAddress, type Status } from "../../api";
import { keyLabel, perform } from "../../core/keys";
import { shownOf } from "../../core/session";
import { named, noun, nameOf } from "../../core/words";
import { type Session, Press } from "../../ui";

const THUMB_PX = 128;

export function LatePress({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const { late, auto } = state;
  const isInPeace = auto && state.place === null && shownOf(state)?.again === "inPeace";
  return (
    <>
      {isInPeace && (
        <p id="in-peace" className="in-peace">
          Once more: {nameOf(state.status, "positive")}?
        </p>
      )}
      {auto && late && (
        <aside key={late.serial} id="late" className="late" data-label={late.label}>
          <img
            src={engine.pictures.element(late.queued)?.src ?? pictureAddress(late.queued, THUMB_PX)}
            alt={named(late.queued.path)}
          />
          <p>
            <b>{nameOf(state.status, late.label)}</b>, {ago(Math.max(late.back, 1), state.status)}
          </p>
          {late.onScreen && (
            <Press id="mine" className="plain text" onClick={() => perform(engine, "mine", "button")}>
              I meant the later one ({keyLabel(bindings.mine)})
            </Press>
          )}
        </aside>
      )}
    </>
  );
}

function ago(back: number, status: Status | null): string {
  return back === 1 ? `the ${noun(status, 1)} before` : `${back} ${noun(status)} before`;
}
