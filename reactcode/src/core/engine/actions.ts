// What each action does that is no answer.
import type { Source } from "../../api";
import { nextSpeed, shownOf } from "../session";
import type { Engine } from "./engine";
import type { Action } from "./keys";

export type Other = Exclude<Action, "positive" | "negative" | "skipped">;

/** What opens a panel, or changes what is shown around the image. */
export const AROUND: readonly Action[] = [
  "tools",
  "plain",
  "blind",
  "progress",
  "review",
  "finish",
  "instructions",
  "tensorboard",
  "help",
];

/** What a pause leaves as it is: it covers the image, so nothing that is for the image, and no answer, goes through. */
export const WHILE_PAUSED: readonly Action[] = [
  "pause",
  "auto",
  "faster",
  "slower",
  "grid",
  "slips",
  ...AROUND,
];

export const ACTIONS: Readonly<Record<Other, (engine: Engine, source: Source) => void>> = {
  undo: (engine) => void engine.undo(),
  older: (engine) => void engine.walk("older"),
  newer: (engine) => void engine.walk("newer"),
  pause: (engine, source) => engine.pause(source),
  auto: (engine) => engine.dispatch({ type: "auto" }),
  faster: (engine) => engine.setSpeed(nextSpeed(engine.state.speed, 1)),
  slower: (engine) => engine.setSpeed(nextSpeed(engine.state.speed, -1)),
  mine: (engine, source) => engine.autopilot.mine(source),
  grid: (engine) => engine.toggle("grid"),
  split: (engine) => void engine.split(),
  like: (engine) => void engine.liking.press(shownOf(engine.state)),
  zoom: (engine) => engine.dispatch({ type: "zoom", zoom: !engine.state.zoom }),
  photo: (engine) => engine.dispatch({ type: "photo" }),
  pin: (engine) => engine.dispatch({ type: "pin" }),
  tools: (engine) => engine.toggle("tools"),
  plain: (engine) => engine.dispatch({ type: "plain" }),
  blind: (engine) => engine.dispatch({ type: "blind", blind: !engine.state.blind }),
  explanation: (engine) => engine.dispatch({ type: "explains" }),
  progress: (engine) => engine.toggle("progress"),
  review: (engine) => engine.toggle("review"),
  finish: (engine) => engine.toggle("finish"),
  slips: (engine) => engine.toggle("slips"),
  instructions: (engine) => engine.openInstructions(),
  tensorboard: (engine) => engine.toggle("tensorboard"),
  help: (engine) => engine.toggle("help"),
};
