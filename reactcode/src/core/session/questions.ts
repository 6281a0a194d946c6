// The images to ask next: a newer order, those shown again, those that cannot be read. Pure, like session.ts.
import type { QueueAnswer, Queued } from "../../api";
import { named } from "../words";
import { imagesOf } from "./alike";
import { isInGrid } from "./grid";
import { keyOf, noted, type Again, type Asked, type State } from "./state";

const BLINDLY_AT = 8; // how many places behind the one on the screen an image is inserted to be asked again blindly

/**
 * Takes a newer order: the image being asked, the first decoded ones after it, and those shown again stay; the others
 * are replaced. Images answered here after the question went out are left out: the server did not know of them yet.
 */
export function withQueue(state: State, answer: QueueAnswer, asked_at: number, keep: number): State {
  const isOpen = (queued: Queued) =>
    !((state.answered.get(queued.image) ?? -1) > asked_at) && !state.unreadable.has(keyOf(queued));
  const kept = state.queue.filter(
    (asked, place) =>
      place === 0 ||
      asked.again ||
      (place <= keep && state.decoded.has(keyOf(asked))) ||
      isInGrid(state, asked),
  );
  const held = new Set(kept.flatMap(imagesOf));
  const fresh = answer.images.filter((queued) => isOpen(queued) && !held.has(queued.image));
  const queue = [...kept, ...fresh];
  const isCurrent = state.tick === asked_at; // otherwise `left` is older than the known count
  const status = state.status && { ...state.status, left: isCurrent ? answer.left : state.status.left };
  return {
    ...state,
    status,
    link: "here",
    unauthorised: false,
    queue,
    ranking: answer.ranking,
    asked: true,
    answered: new Map([...state.answered].filter(([, tick]) => tick > asked_at)),
    decoded: decodedOf(state, queue),
  };
}

/** Inserts images to be shown again: in peace as the next ones, blindly behind those that are fetched already. */
export function withAgain(queue: readonly Asked[], images: readonly Queued[], how: Again): readonly Asked[] {
  const numbers = new Set(images.map(({ image }) => image));
  const rest = queue.filter((asked, place) => place === 0 || !numbers.has(asked.image));
  const again = images.map((queued) => ({ ...queued, again: how }));
  const place = how === "inPeace" ? 1 : Math.min(BLINDLY_AT, rest.length);
  return [...rest.slice(0, place), ...again, ...rest.slice(place)];
}

/** The decoded pictures that are still in the queue. */
function decodedOf(state: State, queue: readonly Queued[]): ReadonlySet<string> {
  return new Set(queue.map(keyOf).filter((key) => state.decoded.has(key)));
}

export function withoutUnreadable(state: State, queued: Queued): State {
  const key = keyOf(queued);
  if (state.unreadable.has(key)) return state;
  const without: State = {
    ...state,
    queue: state.queue.filter((other) => keyOf(other) !== key),
    unreadable: new Set(state.unreadable).add(key),
  };
  return noted(without, `unreadable: ${named(queued.path)}`);
}
