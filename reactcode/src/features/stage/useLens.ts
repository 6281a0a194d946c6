// Binds the lens to React: its elements, the pointer on them, and the keys that move the view.
import { useEffect, useLayoutEffect, useState, type RefObject } from "react";
import type { Engine } from "../../core/engine";
import { actionOf, isTaken, keyName, type Bindings } from "../../core/keys";
import { shownOf } from "../../core/session";
import { Lens, type Elements, MIDDLE } from "../looking";
import { attachPointer } from "../touch";
import type { Session } from "../../ui";

export function useLens(
  { engine, bindings }: Session,
  elements: Readonly<Record<keyof Elements, RefObject<HTMLElement | null>>>,
): Lens {
  const [lens] = useState(() => new Lens(engine));
  const { stage, fit, glass, heat } = elements;
  useLayoutEffect(() => {
    const here = { stage: stage.current, fit: fit.current, glass: glass.current, heat: heat.current };
    if (here.stage === null || here.fit === null || here.glass === null || here.heat === null) return;
    const detach = lens.attach(here as Elements);
    const letGo = attachPointer(here.stage, lens, engine);
    engine.setStage((shown, picture, state) => lens.show(shown, picture, state));
    return () => {
      engine.setStage(null);
      letGo();
      detach();
    };
  }, [lens, engine, stage, fit, glass, heat]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => onKey(engine, lens, bindings, event);
    const options = { capture: true }; // before the arrows walk
    window.addEventListener("keydown", onKeyDown, options);
    return () => window.removeEventListener("keydown", onKeyDown, options);
  }, [engine, lens, bindings]);
  return lens;
}

const CLOSER = 1.25;
const FACTORS: Readonly<Record<string, number>> = {
  "+": CLOSER,
  "=": CLOSER,
  "-": 1 / CLOSER,
  _: 1 / CLOSER,
};
const STRIDES: Readonly<Record<string, readonly [x: number, y: number]>> = {
  arrowleft: [-1, 0],
  arrowright: [1, 0],
  arrowup: [0, -1],
  arrowdown: [0, 1],
};

/** Plus and minus zoom, Shift with an arrow pans; a key that is bound to an action keeps that action. */
function onKey(engine: Engine, lens: Lens, bindings: Bindings, event: KeyboardEvent): void {
  const key = keyName(event);
  const { panel, idle } = engine.state;
  const isElsewhere = idle || (panel !== null && panel !== "tools") || shownOf(engine.state) === null;
  if (key === null || isElsewhere || isTaken(event.target, key)) return;
  const stride = event.shiftKey ? STRIDES[key] : undefined;
  const factor = actionOf(bindings, key) === null ? FACTORS[key] : undefined;
  if (stride) lens.stride(...stride);
  else if (factor !== undefined) lens.zoom(factor, MIDDLE, true);
  else return;
  event.preventDefault();
}
