// The list of keys; each can be given another one.
import { useState } from "react";
import { keyLabel, keyName, rebound, DEFAULT_BINDINGS, KEYS, doing, type Action } from "../../core/keys";
import { type Session, Dialog } from "../../ui";

export function Help({ session }: { readonly session: Session }) {
  const { engine, bindings, rebind, state } = session;
  const [changing, setChanging] = useState<Action | null>(null);
  const [sentence, setSentence] = useState("");
  const classes = state.status?.classes;
  const take = (event: React.KeyboardEvent) => {
    if (changing === null || event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    event.nativeEvent.stopImmediatePropagation(); // the key is a name here, not an action
    const key = keyName(event.nativeEvent);
    if (key === null || event.key === "Shift") return;
    const next = key === "escape" ? bindings : rebound(bindings, changing, key, classes);
    setSentence(typeof next === "string" ? next : "");
    if (typeof next === "string") return;
    rebind(next);
    setChanging(null);
  };
  return (
    <Dialog title="Keys" className="help" onClose={() => engine.toggle("help")}>
      <ul className="keys" onKeyDownCapture={take}>
        {KEYS.map(({ action, does }) => ({ action, does: doing({ does }, classes) })).map(
          ({ action, does }) => (
            <li key={action}>
              <span>{does}</span>
              <button
                type="button"
                className="key"
                aria-label={`Key to ${does}: ${keyLabel(bindings[action])}. Change it`}
                aria-pressed={changing === action}
                onClick={() => {
                  setChanging(changing === action ? null : action);
                  setSentence("");
                }}
              >
                {changing === action ? "press a key…" : keyLabel(bindings[action])}
              </button>
            </li>
          ),
        )}
        <li>
          <span>zoom in and out</span>
          <span className="key fixed">+ −</span>
        </li>
        <li>
          <span>move the zoomed image</span>
          <span className="key fixed">Shift ← → ↑ ↓</span>
        </li>
        <li>
          <span>in the grid: mark an image</span>
          <span className="key fixed">1 … 9 0 - =</span>
        </li>
        <li>
          <span>
            in the grid: answer all; images without a mark become “{classes?.negative ?? "negative"}”
          </span>
          <span className="key fixed">Enter</span>
        </li>
        <li>
          <span>close the panel, go back to the queue</span>
          <span className="key fixed">Esc</span>
        </li>
      </ul>
      <p id="clash" className="clash" role="alert">
        {sentence}
      </p>
      <p className="foot">
        <span>Choose a key to change it.</span>
        <button
          type="button"
          className="plain text"
          onClick={() => {
            setChanging(null);
            rebind(DEFAULT_BINDINGS);
          }}
        >
          Reset all keys
        </button>
      </p>
    </Dialog>
  );
}
