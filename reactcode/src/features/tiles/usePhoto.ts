// The photo of a tile, small: asked for once the tile itself has been painted, that of the next one when nothing is busy.
import { useEffect, useState } from "react";
import { photoAddress, type Queued } from "../../api";
import { isPainted, shownOf } from "../../core/session";
import { tileOf, type Tile } from "../../core/words";
import type { Session } from "../../ui";

const SMALL_PX = 256;
const LINGER_MS = 150; // a person who answers faster does not look at it, and the server has more urgent work

export interface Photo {
  readonly queued: Queued;
  readonly tile: Tile;
  /** Where its small picture is; null while it is not to be asked for. */
  readonly small: string | null;
  readonly onLoad: () => void;
}

/** Null where what is shown is no tile. */
export function usePhoto({ engine, state }: Session): Photo | null {
  const [fetched] = useState(() => new Set<string>()); // the addresses that the browser has in its cache
  const [wanted, setWanted] = useState<string | null>(null);
  const [loaded, setLoaded] = useState<string | null>(null);
  const queued = shownOf(state);
  const tile = queued && tileOf(queued.path);
  const address = queued && tile && photoAddress(queued, SMALL_PX);
  const isSeen = isPainted(state);
  const following = state.place === null ? state.queue[1] : undefined;
  const next = following && tileOf(following.path) ? photoAddress(following, SMALL_PX) : null;
  useEffect(() => {
    if (address === null || !isSeen) return;
    const timer = setTimeout(() => setWanted(address), fetched.has(address) ? 0 : LINGER_MS);
    return () => clearTimeout(timer);
  }, [fetched, address, isSeen]);
  useEffect(() => {
    if (next === null || address === null || loaded !== address || fetched.has(next)) return;
    let timer = setTimeout(function look() {
      if (engine.pictures.isBusy) timer = setTimeout(look, LINGER_MS);
      else prefetch(next, () => fetched.add(next));
    }, LINGER_MS);
    return () => clearTimeout(timer);
  }, [engine, fetched, address, loaded, next]);
  if (queued === null || tile === null || address === null) return null;
  const onLoad = () => {
    fetched.add(address);
    setLoaded(address);
  };
  return { queued, tile, small: isSeen && wanted === address ? address : null, onLoad };
}

function prefetch(address: string, onLoad: () => void): void {
  const picture = new Image();
  picture.fetchPriority = "low";
  picture.onload = onLoad;
  picture.src = address;
}
