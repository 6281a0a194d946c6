// The points themselves: the canvas, what the mouse and fingers do on it, and the picture of the point they are at.
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from "react";
import type { Cluster } from "../../../api";
import {
  affine,
  type Drawing,
  inside,
  nearest,
  type Place,
  type Points,
  selected,
  type Selection,
} from "../../../core/map";
import { attachGestures, type Tool } from "./gestures";
import type { Painter } from "./painter";

const NEAR_PX = { mouse: 8, finger: 22 } as const;

/** The image that somebody points at, and where. */
export interface Pointed {
  readonly image: number;
  readonly at: Place;
}

interface Props {
  readonly painter: Painter;
  readonly points: Points;
  readonly drawing: Drawing;
  readonly clusters: readonly Cluster[];
  readonly marked: number | null;
  readonly isDark: boolean;
  readonly tool: Tool;
  readonly label: string;
  readonly onChoose: (selection: Selection) => void;
  readonly onPoint: (pointed: Pointed | null) => void;
  readonly onPick: (image: number) => void;
}

export function Plane(props: Props) {
  const { painter, points, drawing, clusters, marked, isDark, tool, label } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [isOver, setOver] = useState(false); // a point is under the mouse
  const imageAt = (at: Place, isFinger: boolean) =>
    nearest(points, painter.view, painter.size, at, isFinger ? NEAR_PX.finger : NEAR_PX.mouse);
  const onOutline = useEffectEvent((outline: readonly Place[]) => {
    const isIn = inside(outline);
    const { factor, left, top } = affine(painter.view, painter.size);
    const place = (image: number) =>
      isIn((points.x[image] ?? 0) * factor + left, (points.y[image] ?? 0) * factor + top);
    props.onChoose(selected(points, place));
  });
  const onPoint = useEffectEvent((at: Place | null, isFinger: boolean) => {
    const image = at === null ? null : imageAt(at, isFinger);
    painter.encircle(image);
    setOver(image !== null);
    props.onPoint(at === null || image === null ? null : { image, at });
  });
  const onPick = useEffectEvent((at: Place, isFinger: boolean) => {
    const image = imageAt(at, isFinger);
    if (image !== null) props.onPick(image);
  });
  const toolNow = useEffectEvent(() => tool);
  useLayoutEffect(() => {
    if (canvas.current === null) return;
    const stopPainting = painter.attach(canvas.current);
    const stopListening = attachGestures(canvas.current, painter, {
      tool: () => toolNow(),
      onOutline: (outline) => onOutline(outline),
      onPoint: (at, isFinger) => onPoint(at, isFinger),
      onPick: (at, isFinger) => onPick(at, isFinger),
    });
    return () => {
      stopListening();
      stopPainting();
    };
  }, [painter]);
  useEffect(
    () => painter.show(drawing, clusters, marked, isDark),
    [painter, drawing, clusters, marked, isDark],
  );
  return (
    <canvas id="map-plane" ref={canvas} role="img" aria-label={label} data-tool={tool} data-over={isOver} />
  );
}
