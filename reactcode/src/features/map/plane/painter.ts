// The canvas of the map: paints what is seen at most once a frame, coarsely while it moves if all points take too long.
import type { Cluster } from "../../../api";
import { nextFrame } from "../../../core/browser";
import {
  affine,
  around,
  BORDER,
  draw,
  type Drawing,
  GROUND,
  panned,
  type Place,
  pixelOf,
  radiusOf,
  scaleOf,
  type Size,
  type View,
  WHOLE,
  zoomed,
} from "../../../core/map";

const SETTLED_MS = 80; // so long after the last movement all points are painted
const BUDGET_MS = 6; // what the points may take of a frame while the map moves
const MOST_PIXELS = 4_000_000;
const RING_PX = 6;
const INK = { light: "#1c1e21", dark: "#e9eaec" } as const;

export class Painter {
  view: View = WHOLE;
  private canvas: HTMLCanvasElement | null = null;
  private image: ImageData | null = null;
  private drawing: Drawing | null = null;
  private clusters: readonly Cluster[] = [];
  private marked: number | null = null;
  private outline: readonly Place[] = [];
  private ring: number | null = null;
  private isDark = false;
  private frame: number | null = null;
  private isMoving = false;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private all_ms = 0; // how long all points take, by the last frame

  /** Paint here from now on; the returned function ends it. */
  attach(canvas: HTMLCanvasElement): () => void {
    this.canvas = canvas;
    const observer = new ResizeObserver(() => this.soon());
    observer.observe(canvas);
    this.soon();
    return () => {
      observer.disconnect();
      clearTimeout(this.settling);
      if (this.frame !== null) cancelAnimationFrame(this.frame);
      this.frame = null;
      this.canvas = null;
    };
  }

  /** In pixels of the page. */
  get size(): Size {
    return { width: this.canvas?.clientWidth ?? 0, height: this.canvas?.clientHeight ?? 0 };
  }

  /** What is to be seen. */
  show(drawing: Drawing, clusters: readonly Cluster[], marked: number | null, isDark: boolean): void {
    Object.assign(this, { drawing, clusters, marked, isDark });
    this.soon();
  }

  /** The line that a person draws; empty: none. */
  trace(outline: readonly Place[]): void {
    this.outline = outline;
    this.soon();
  }

  /** Puts a ring around the point of an image. */
  encircle(image: number | null): void {
    if (this.ring === image) return;
    this.ring = image;
    this.soon();
  }

  pan(dx: number, dy: number): void {
    this.move(panned(this.view, dx, dy, this.size));
  }

  /** Larger by a factor around a place; left out: around the middle. */
  zoom(factor: number, at?: Place): void {
    const { width, height } = this.size;
    this.move(zoomed(this.view, factor, at ?? { x: width / 2, y: height / 2 }, this.size));
  }

  reset(): void {
    this.move(WHOLE);
  }

  lookAt(cluster: Cluster): void {
    this.move(around(cluster));
  }

  private move(view: View): void {
    this.view = view;
    this.isMoving = true;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.isMoving = false;
      this.soon();
    }, SETTLED_MS);
    this.soon();
  }

  private soon(): void {
    if (this.canvas === null) return;
    this.frame ??= nextFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  private paint(): void {
    const { canvas, drawing } = this;
    const context = canvas?.getContext("2d", { alpha: false });
    if (!canvas || !context || drawing === null) return;
    const image = this.sized(canvas, context);
    if (image === null) return;
    const step = this.isMoving ? Math.max(1, Math.ceil(this.all_ms / BUDGET_MS)) : 1;
    const size = { width: image.width, height: image.height };
    const pixels = new Uint32Array(image.data.buffer);
    const radius = radiusOf(drawing.order.length, this.view, size);
    const ground = pixelOf(GROUND[this.scheme]);
    const before = performance.now();
    const drawn = draw(pixels, size, this.view, drawing, { ground, radius, step });
    this.all_ms = step * (performance.now() - before);
    context.putImageData(image, 0, 0);
    context.setTransform(size.width / this.size.width, 0, 0, size.height / this.size.height, 0, 0);
    this.paintOver(context);
    canvas.dataset["drawn"] = String(drawn);
    canvas.dataset["settled"] = String(!this.isMoving);
  }

  /** The pixels of the canvas, which has as many as the screen shows of it, up to a limit. */
  private sized(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D): ImageData | null {
    const { width, height } = this.size;
    if (width === 0 || height === 0) return null;
    const ratio = Math.min(window.devicePixelRatio, Math.sqrt(MOST_PIXELS / (width * height)));
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.image?.width === across && this.image.height === down) return this.image;
    canvas.width = across;
    canvas.height = down;
    this.image = context.createImageData(across, down);
    return this.image;
  }

  private get scheme(): "light" | "dark" {
    return this.isDark ? "dark" : "light";
  }

  /** What lies over the points: numbers of clusters, the one in focus, the point under the mouse, the line being drawn. */
  private paintOver(context: CanvasRenderingContext2D): void {
    const ink = INK[this.scheme];
    context.strokeStyle = context.fillStyle = ink;
    const marked = this.clusters.find(({ id }) => id === this.marked);
    if (marked) {
      const { x, y } = this.placeOf(marked.x * BORDER, marked.y * BORDER);
      const radius = Math.max(marked.radius * scaleOf(this.view, this.size), 2 * RING_PX);
      circle(context, x, y, radius);
    }
    this.number(context, ink);
    const { points } = this.drawing ?? {};
    if (this.ring !== null && points && this.ring < points.size) {
      const { x, y } = this.placeOf(points.x[this.ring] ?? 0, points.y[this.ring] ?? 0);
      circle(context, x, y, RING_PX);
    }
    this.paintOutline(context);
  }

  private number(context: CanvasRenderingContext2D, ink: string): void {
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    for (const { id, x, y } of this.clusters) {
      const at = this.placeOf(x * BORDER, y * BORDER);
      context.lineWidth = 4;
      context.strokeStyle = `rgb(${GROUND[this.scheme].join(" ")} / 85%)`;
      context.strokeText(String(id + 1), at.x, at.y);
      context.fillStyle = ink;
      context.fillText(String(id + 1), at.x, at.y);
    }
    context.strokeStyle = ink;
  }

  private paintOutline(context: CanvasRenderingContext2D): void {
    if (this.outline.length < 2) return;
    context.beginPath();
    for (const { x, y } of this.outline) context.lineTo(x, y);
    context.closePath();
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 0.08;
    context.fill();
    context.globalAlpha = 1;
  }

  private placeOf(x: number, y: number): Place {
    const { factor, left, top } = affine(this.view, this.size);
    return { x: x * factor + left, y: y * factor + top };
  }
}

function circle(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = 2;
  context.stroke();
}
