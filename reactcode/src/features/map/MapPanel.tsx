// The map of the folder: the points, what is chosen among them, and the same in words beside them.
import { useMemo, useState } from "react";
import type { Cluster } from "../../api";
import { type Colouring, drawing, inksOf, selected, valuesOf } from "../../core/map";
import { away, count, noun } from "../../core/words";
import { type Session, Dialog, Icon, Key, Press } from "../../ui";
import { RecentNote } from "../review";
import { Chosen } from "./Chosen";
import { Clusters } from "./Clusters";
import type { Tool } from "./plane/gestures";
import { keysOf } from "./keysOf";
import { Legend } from "./plane/Legend";
import { MapTools } from "./plane/MapTools";
import { Painter } from "./plane/painter";
import { Large, Preview } from "./Picture";
import { Plane, type Pointed } from "./plane/Plane";
import { useChosen } from "./useChosen";
import { useDark } from "./useDark";
import { useMap } from "./useMap";
import { useNames } from "./useNames";
import "./map.css";

const NONE: readonly Cluster[] = [];

export function MapPanel({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const mapped = useMap(state);
  const { overview, points } = mapped;
  const choosing = useChosen(session, mapped);
  const { selection, open, sample } = choosing;
  const isDark = useDark();
  const [painter] = useState(() => new Painter());
  const [tool, setTool] = useState<Tool>("move");
  const [wanted, setColouring] = useState<Colouring>("answer");
  const [focused, setFocused] = useState<number | null>(null); // the cluster in focus
  const [hovered, setHovered] = useState<Cluster | null>(null);
  const [isListOpen, setListOpen] = useState(false);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [large, setLarge] = useState<number | null>(null);
  const clusters = inOrder(overview?.clusters ?? NONE, state.blind);
  const colouring = state.blind ? "answer" : wanted;
  const mask = selection?.mask ?? null;
  const drawn = useMemo(
    () =>
      points &&
      drawing(
        points,
        valuesOf(points, colouring),
        inksOf(colouring, isDark),
        inksOf(colouring, isDark, true),
        mask,
      ),
    [points, colouring, isDark, mask],
  );
  const shown = [pointed?.image, large].filter((image) => image != null);
  const names = useNames([
    ...shown,
    ...sample,
    ...clusters.flatMap(({ representatives }) => representatives),
  ]);
  const choose = (cluster: Cluster) => {
    if (points === null) return;
    const isIn = (image: number) => points.cluster[image] === cluster.id;
    choosing.choose(choosing.cluster === cluster.id ? null : selected(points, isIn), cluster.id);
    setListOpen(false);
    painter.lookAt(cluster);
  };
  const close = () => engine.toggle("map");
  const onKeyDown = keysOf(session, {
    painter,
    choosing,
    isLarge: large !== null,
    isListOpen,
    clusters: clusters.length,
    place: clusters.findIndex(({ id }) => id === focused),
    onPlace: (next) => {
      const cluster = clusters[next];
      if (!cluster) return;
      setFocused(cluster.id);
      if (painter.view.zoom > 1) painter.lookAt(cluster);
    },
    onSmall: () => setLarge(null),
    onListClosed: () => setListOpen(false),
  });
  const things = noun(state.status);
  return (
    <div className="folder-map" onKeyDown={onKeyDown}>
      <Dialog
        title={titleOf(session, overview?.placed, overview?.images)}
        className="map-dialog"
        onClose={close}
      >
        {points && drawn ? (
          <div className="map-body" data-list={isListOpen}>
            <div className="plane">
              <Plane
                painter={painter}
                points={points}
                drawing={drawn}
                clusters={clusters}
                marked={hovered?.id ?? focused}
                isDark={isDark}
                tool={tool}
                label={`Map of ${count(points.size)} ${things}; the list of clusters says the same in words.`}
                onChoose={(next) => {
                  choosing.choose(next);
                  if (next.images > 0) setTool("move");
                }}
                onPoint={setPointed}
                onPick={setLarge}
              />
              <Legend
                session={session}
                points={points}
                colouring={colouring}
                isDark={isDark}
                onChange={setColouring}
              />
              {pointed && large === null && (
                <Preview
                  session={session}
                  points={points}
                  pointed={pointed}
                  image={names.get(pointed.image)}
                  size={painter.size}
                />
              )}
            </div>
            <div className="map-bar">
              <MapTools
                painter={painter}
                tool={tool}
                isListOpen={isListOpen}
                onTool={setTool}
                onList={() => setListOpen(!isListOpen)}
              />
              {choosing.canTakeBack && (
                <Press className="plain text" id="map-undo" onClick={choosing.takeBack}>
                  <Icon name="undo" /> undo <Key name={session.bindings.undo} />
                </Press>
              )}
            </div>
            <Clusters
              session={session}
              clusters={clusters}
              names={names}
              focused={focused}
              chosen={choosing.cluster}
              onFocus={setFocused}
              onHover={setHovered}
              onChoose={choose}
            />
            {selection && (
              <Chosen
                session={session}
                points={points}
                selection={selection}
                open={open}
                sample={sample}
                names={names}
                asking={choosing.asking}
                onAsk={choosing.ask}
                onNext={choosing.askNext}
                onAnswer={choosing.answer}
                onClear={() => choosing.choose(null)}
              />
            )}
            {large !== null && (
              <Large
                session={session}
                points={points}
                number={large}
                image={names.get(large)}
                onClose={() => setLarge(null)}
              />
            )}
          </div>
        ) : (
          <p className="empty" id="map-coming">
            {overview?.coming ?? (mapped.isAway ? away("the map comes when it is back") : "Looking…")}
          </p>
        )}
        <RecentNote note={state.note} />
        <p className="unseen" role="status">
          {selection && `${count(selection.images)} ${things} chosen, ${count(open.length)} open`}
        </p>
      </Dialog>
    </div>
  );
}

/** The likeliest cluster first; by number while the model's opinion is hidden, or not known. */
function inOrder(clusters: readonly Cluster[], isBlind: boolean): readonly Cluster[] {
  if (isBlind) return clusters;
  return [...clusters].sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0) || a.id - b.id);
}

function titleOf({ state }: Session, placed = 0, images = 0): string {
  if (placed === 0) return "Map";
  const things = noun(state.status, images);
  return placed < images
    ? `Map: ${count(placed)} of ${count(images)} ${things} so far`
    : `Map of ${count(images)} ${things}`;
}
