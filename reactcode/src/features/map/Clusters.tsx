// The map in words: its clusters with their counts and a few of their pictures; each can be chosen like points.
import { useEffect, useRef } from "react";
import { pictureAddress, type Cluster } from "../../api";
import { count, counted, nameOf, noun, percent } from "../../core/words";
import { type Session, Press } from "../../ui";
import type { Names } from "./useNames";

const THUMBNAIL_PX = 160;

interface Props {
  readonly session: Session;
  readonly clusters: readonly Cluster[];
  readonly names: Names;
  /** The one in focus. */
  readonly focused: number | null;
  /** The one whose images are chosen. */
  readonly chosen: number | null;
  readonly onFocus: (cluster: number) => void;
  readonly onHover: (cluster: Cluster | null) => void;
  readonly onChoose: (cluster: Cluster) => void;
}

export function Clusters(props: Props) {
  const { session, clusters, names, focused, chosen, onFocus, onHover, onChoose } = props;
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (focused !== null) list.current?.querySelector<HTMLElement>(`[data-cluster="${focused}"]`)?.focus();
  }, [focused]);
  const isThere = clusters.some(({ id }) => id === focused);
  return (
    <section className="clusters" aria-labelledby="clusters-title">
      <h3 id="clusters-title">{counted(clusters.length, "cluster", "clusters")}</h3>
      <ol ref={list}>
        {clusters.map((cluster, at) => (
          <li key={cluster.id}>
            <Press
              className="cluster"
              data-cluster={cluster.id}
              aria-pressed={chosen === cluster.id}
              tabIndex={(isThere ? cluster.id === focused : at === 0) ? 0 : -1}
              onFocus={() => onFocus(cluster.id)}
              onPointerEnter={() => onHover(cluster)}
              onPointerLeave={() => onHover(null)}
              onClick={() => onChoose(cluster)}
            >
              <span className="name">
                <span className="unseen">Cluster </span>
                {cluster.id + 1}
                <span className="unseen">: </span>
              </span>
              <span className="words">{inWords(session, cluster)}</span>
              <span className="pictures">
                {cluster.representatives.map((image) => (
                  <Thumbnail key={image} image={image} names={names} />
                ))}
              </span>
            </Press>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** “123 images, 3 “hat”, 110 open, about 31 %”; the last part is an opinion, which a person may have hidden. */
function inWords({ state }: Session, { images, positives, left, probability }: Cluster): string {
  const parts = [
    `${count(images)} ${noun(state.status, images)}`,
    `${count(positives)} “${nameOf(state.status, "positive")}”`,
    `${count(left)} open`,
  ];
  if (!state.blind && probability !== null)
    parts.push(`about ${percent(probability)}`.replaceAll(" ", "\u00a0"));
  return parts.join(", ");
}

interface ThumbnailProps {
  readonly image: number;
  readonly names: Names;
}

/** A small picture beside the words that it belongs to. */
export function Thumbnail({ image, names }: ThumbnailProps) {
  const named = names.get(image);
  if (named === undefined) return <span className="map-picture" />;
  return (
    <img
      className="map-picture"
      src={pictureAddress(named, THUMBNAIL_PX)}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
    />
  );
}
