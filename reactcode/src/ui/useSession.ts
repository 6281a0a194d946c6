// The thin binding between React and the engine: state to render, key presses to the engine.
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Engine } from "../core/engine";
import { keepBindings, keptBindings, onKey, type Bindings } from "../core/keys";
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
