// The thin binding between React and the engine: state to render, key presses to the engine.
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Engine, type Bindings } from "../core/engine";
import { actionOf, isTaken, keepBindings, keptBindings, keyName, isGridsKey, onGridKey } from "../core/keys";
import type { State } from "../core/session";

export interface Session {
  readonly engine: Engine;
  readonly state: State;
  readonly bindings: Bindings;
  readonly rebind: (bindings: Bindings) => void;
}

export function useSession(): Session {
  const [engine] = useState(() => new Engine());
  const [bindings, setBindings] = useState(keptBindings);
  const state = useSyncExternalStore(engine.subscribe, () => engine.state);
  useEffect(() => engine.start(), [engine]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => onKey(engine, bindings, event);
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [engine, bindings]);
  return useMemo(
    () => ({
      engine,
      state,
      bindings,
      rebind: (next: Bindings) => {
        setBindings(next);
        keepBindings(next);
      },
    }),
    [engine, state, bindings],
  );
}

const REPEATING = ["older", "newer", "faster", "slower"];

function onKey(engine: Engine, bindings: Bindings, event: KeyboardEvent): void {
  const key = keyName(event);
  if (engine.state.idle && key !== null) {
    event.preventDefault(); // the first key after a rest only says that somebody is there
    return engine.dispatch({ type: actionOf(bindings, key) === "auto" ? "auto" : "back" });
  }
  if (key === null || event.defaultPrevented) return;
  if (isGridsKey(engine.state, event)) return onGridKey(engine, bindings, event);
  if (isTaken(event.target, key)) return;
  if (key === "escape") return engine.close();
  const action = actionOf(bindings, key);
  if (action === null) return;
  const { panel } = engine.state;
  const isPanelsOwn = action === panel; // its key closes a panel again
  if (panel !== null && panel !== "tools" && !isPanelsOwn) return;
  event.preventDefault();
  if (event.repeat && !REPEATING.includes(action)) return; // a key held down answers once
  engine.act(action, "key");
}
