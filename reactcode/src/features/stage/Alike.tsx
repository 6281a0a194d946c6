// Over the picture: the near duplicates that get the same answer, and a button to ask them one by one.
import { pictureAddress } from "../../api";
import { keyLabel, perform } from "../../core/keys";
import { alikeOf, shownOf } from "../../core/session";
import { type Session, Key, Press } from "../../ui";

const THUMB_PX = 160;

export function Alike({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const shown = shownOf(state);
  const alike = shown === null ? [] : alikeOf(shown);
  if (shown === null || alike.length === 0) return null;
  const together = `${alike.length + 1} alike`;
  return (
    <aside id="alike" className="alike" aria-label={`${together}: the answer is for all of them`}>
      <b title="One answer for all of them">{together}</b>
      <ul tabIndex={0} aria-label="Near duplicates">
        {alike.map((image, n) => (
          <li key={image}>
            <img
              src={pictureAddress({ image, version: shown.version }, THUMB_PX)}
              alt={`Near duplicate ${n + 1}`}
              data-image={image}
              draggable={false}
            />
          </li>
        ))}
      </ul>
      <Press
        id="split"
        className="plain text"
        title={`Ask them one by one (${keyLabel(bindings.split)})`}
        onClick={() => perform(engine, "split", "button")}
      >
        different <Key name={bindings.split} />
      </Press>
    </aside>
  );
}
