// One calm line that says what is wrong; answering goes on under it.
import type { Status } from "../../api";
import type { State } from "../../core/session";
import { count } from "../../core/words";
import { isOff } from "./Model";

const HELD =
  "Your answers do not reach the server: they are kept and sent again. Close other tabs of this page if there are many";
const OTHER_VERSION = "The server now has another version of this page: reload it.";

export function Banner({ state }: { readonly state: State }) {
  const sentence = sentenceOf(state);
  return (
    <div id="banner" className="banner" role="status" hidden={sentence === null}>
      {sentence}
    </div>
  );
}

function sentenceOf(state: State): string | null {
  const { status, waiting } = state;
  if (state.unauthorised) return `Open the link printed in the terminal${kept(waiting)}.`;
  if (state.link === "away")
    return `The server is away: answers are kept and sent when it is back (${count(waiting)} waiting).`;
  if (state.trouble !== null)
    return `${state.trouble} Answers are kept and sent again (${count(waiting)} waiting).`;
  if (state.held) return `${HELD} (${count(waiting)} waiting).`;
  if (status === null) return null;
  if (isOfOtherVersion(status)) return OTHER_VERSION;
  if (isOff(status)) return null;
  const down = Object.entries(status.loops).filter(([, loop]) => loop === "down");
  if (down.length === 0) return null;
  const names = listed(down.map(([name]) => name));
  const are = down.length === 1 ? "is down; it is" : "are down; they are";
  const rest = state.auto ? "AUTO waits; your keys still count." : "You can go on answering.";
  return `The ${names} ${are} being restarted. ${rest}`;
}

/** “a”, “a and b”, “a, b and c”. */
function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** Whether the server has another version of the page than the one that runs here. */
function isOfOtherVersion({ page }: Status): boolean {
  const own = document.querySelector<HTMLScriptElement>("script[type=module]")?.src;
  return page != null && own?.includes("/assets/") === true && !own.endsWith(`/${page}`);
}

function kept(waiting: number): string {
  return waiting === 0 ? "" : `; your answers are kept until then (${count(waiting)} waiting)`;
}
