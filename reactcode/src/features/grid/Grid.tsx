// The next images side by side: those of the class asked for are marked, Enter answers for all.
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { afterPaint } from "../../core/browser";
import type { Engine } from "../../core/engine";
import { againstModel, columnsFor, placesOf, filterOf } from "../../core/session";
import type { Session } from "../../ui";
import { GridCell } from "./GridCell";

export function Grid({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const { cells, painted } = state.grid;
  const host = useRef<HTMLElement>(null);
  const [focused, setFocused] = useState(0);
  const { width, height } = useSize(host, engine);
  const places = placesOf(state);
  const [aspects] = useState(() => aspectsOf(session)); // read once, so that the columns do not change from grid to grid
  const columns = columnsFor(places, width, height, aspects);
  const rows = Math.ceil(places / columns);
  useEffect(
    () => engine.pictures.resizeCells(width / columns, height / rows),
    [engine, width, height, columns, rows],
  );
  const against = state.grid.isAsking ? againstModel(state).map(({ queued }) => queued.image) : [];
  const fresh = cells.filter(
    (queued) => !painted.has(queued.image) && engine.pictures.small(queued) !== null,
  );
  const freshImages = fresh.map(({ image }) => image).join(" ");
  useEffect(() => {
    if (freshImages === "") return;
    return afterPaint(() => engine.gridPainted(freshImages.split(" ").map(Number)));
  }, [engine, freshImages]);
  return (
    <section
      id="grid"
      ref={host}
      className="grid"
      aria-label="Images to answer"
      data-columns={columns}
      style={{
        gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
        gridTemplateRows: `repeat(${rows}, minmax(0, 1fr))`,
      }}
    >
      {cells.map((queued, place) => (
        <GridCell
          key={place}
          queued={queued}
          place={place}
          session={session}
          filter={filterOf(state.look)}
          isAgainst={against.includes(queued.image)}
          isFirst={place === Math.min(focused, cells.length - 1)}
          onFocus={() => setFocused(place)}
        />
      ))}
    </section>
  );
}

/** The aspects of the pictures that are loaded when the grid opens. */
function aspectsOf({ engine, state }: Session): readonly number[] | undefined {
  const pictures = state.grid.cells.flatMap((queued) => engine.pictures.small(queued) ?? []);
  const aspects = pictures.flatMap((picture) => picture.naturalWidth / picture.naturalHeight || []);
  return aspects.length > 0 ? aspects : undefined;
}

/** How large the grid is, so that its cells can be as large as possible; the engine chooses pictures for that. */
function useSize(host: React.RefObject<HTMLElement | null>, engine: Engine) {
  const [size, setSize] = useState({ width: 640, height: 480 });
  useLayoutEffect(() => {
    const measure = () => {
      const { clientWidth: width = 0, clientHeight: height = 0 } = host.current ?? {};
      if (width === 0 || height === 0) return;
      setSize({ width, height });
      engine.pictures.resize(width, height);
    };
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, [host, engine]);
  return size;
}
