// A key press on the page: whose it is, and what it does.
import type { Engine } from "../engine";
import { actionOf, isTaken, keyName } from "./bindings";
import { isGridsKey, onGridKey } from "./gridKeys";
import { perform, goesOn, type Bindings } from "./keys";

export function onKey(engine: Engine, bindings: Bindings, event: KeyboardEvent): void {
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
  if (event.repeat && !goesOn(action)) return;
  perform(engine, action, "key");
}
