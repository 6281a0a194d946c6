// What the picture is looked at through: moves and enlarges the element itself, without rendering anything.
import type { Queued } from "../../api";
import type { Engine } from "../../core/engine";
import { Preload } from "../../core/images";
import { isPainted, keyOf, type State } from "../../core/session";
import { named } from "../../core/words";
import {
  clamped,
  FIT,
  fittedTo,
  isFit,
  largestScale,
  MIDDLE,
  offsetOf,
  panned,
  pixelScale,
  zoomed,
  type Frame,
  type Point,
  type Size,
  type View,
} from "./view";

const FILES_AHEAD = 2; // fetched as they are while the view is pinned
const FILES_SPARE = 1; // a file of twelve megapixels takes 48 MB once it is decoded
const WORTH_WHILE = 1.25; // where the file's own pixels are not larger than this, closer means twice as large
const STRIDE = 0.15; // of the stage, by a key
const PATIENCE_MS = 150; // for a file, before the picture that is there has to do

/** The elements: where hands are, where the whole picture fits, what moves, and what lies over it and moves too. */
export interface Elements {
  readonly stage: HTMLElement;
  readonly fit: HTMLElement;
  readonly glass: HTMLElement;
  readonly heat: HTMLElement;
}

interface Shown {
  readonly queued: Queued;
  readonly picture: HTMLImageElement;
}

export class Lens {
  /** Where the mouse is; null while it is elsewhere. */
  mouse: Point | null = null;
  private view: View = FIT;
  private pull: Point = MIDDLE;
  private elements: Elements | null = null;
  private over: { readonly key: string; readonly element: HTMLElement } | null = null;
  private label: HTMLElement | null = null;
  private shown: Shown | null = null;
  private sizes = { stage: NOWHERE, fit: NOWHERE, origin: MIDDLE, inset: MIDDLE };
  private box = { ...MIDDLE, ...NOWHERE }; // of the glass in the stage
  private awaited: Point | null = null; // to be looked at closely once the file is there
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly files = new Preload(
    {
      size_px: () => null,
      onDecoded: (queued) => this.onFile(queued),
      onUnreadable: (queued) => this.onNoFile(queued),
      onTrouble: () => this.approach(),
    },
    FILES_SPARE,
  );

  constructor(private readonly engine: Engine) {}

  /** Begin; the returned function ends it. */
  attach(elements: Elements): () => void {
    this.elements = elements;
    const observer = new ResizeObserver(() => this.measure());
    observer.observe(elements.stage);
    this.measure();
    return () => {
      observer.disconnect();
      clearTimeout(this.timer);
      this.files.close();
      this.elements = null;
    };
  }

  /** Where the scale is written. */
  writeScaleTo(label: HTMLElement | null): void {
    this.label = label;
    this.write();
  }

  /** Put the decoded element itself into the page: nothing is decoded twice, and it is there at once. */
  show(queued: Queued | null, picture: HTMLImageElement | null, state: State): void {
    const isSame = picture !== null && this.shown?.picture === picture;
    this.shown = queued && picture && { queued, picture };
    if (this.shown === null) this.elements?.glass.replaceChildren();
    else place(this.shown, isPainted(state));
    if (!isSame) this.turn(state);
    else this.follow(state);
    this.wantFiles();
  }

  /** Lay something over this very picture, as long as it is the one that is shown; null: nothing. */
  lay(queued: Queued | null, over: HTMLElement | null): void {
    this.over = queued && over && { key: keyOf(queued), element: over };
    this.cover();
  }

  /** Closer by a factor, or farther. */
  zoom(factor: number, at: Point, isSmooth: boolean): void {
    if (!this.canLook()) return;
    this.awaited = null;
    this.change(zoomed(this.view, factor, at, this.frame), isSmooth);
  }

  pan(by: Point, isSmooth = false): void {
    if (isFit(this.view)) return;
    this.awaited = null;
    this.change(panned(this.view, by, this.frame), isSmooth);
  }

  /** Zoom and pan at once, as two fingers do. */
  pinch(factor: number, at: Point, by: Point): void {
    if (!this.canLook()) return;
    this.awaited = null;
    const moved = panned(this.view, by, this.frame);
    this.change(zoomed(moved, factor, at, this.frame), false);
  }

  /** One stride of a key: the view goes that way, 1 or -1. */
  stride(x: number, y: number): void {
    const { width, height } = this.sizes.stage;
    this.pan({ x: -STRIDE * width * x, y: -STRIDE * height * y }, true);
  }

  /** To the file's own pixels about a point, and back. */
  toggle(at: Point): void {
    const zoom = !this.engine.state.zoom;
    if (zoom && this.canLook()) this.expect(at);
    this.engine.dispatch({ type: "zoom", zoom });
  }

  /** A whole picture follows the finger that swipes it. */
  follows(by: Point): void {
    this.pull = by;
    this.apply(false);
  }

  /** The finger has let go: back to the middle. */
  springBack(isSmooth: boolean): void {
    this.pull = MIDDLE;
    this.apply(isSmooth);
  }

  // --- what follows --------------------------------------------------------------------------------------------------

  /** Another picture: a pinned view stays, as far as this one reaches. */
  private turn(state: State): void {
    this.awaited = null;
    this.pull = MIDDLE;
    this.view = state.zoom ? this.view : FIT;
    this.cover();
    const { shown, elements } = this;
    if (shown !== null && elements !== null) {
      this.fit();
      elements.glass.replaceChildren(shown.picture);
      this.putFile();
    }
    this.apply(false);
  }

  /** Look closely, or not any more, as the state says. */
  private follow({ zoom }: State): void {
    if (!zoom) this.awaited = null;
    if (!zoom && !isFit(this.view)) this.change(FIT, true);
    if (zoom && isFit(this.view) && this.shown !== null) {
      if (this.awaited === null) this.expect(this.mouse ?? MIDDLE);
      if (this.file !== null) this.arrive();
    }
  }

  private canLook(): boolean {
    const { state } = this.engine;
    return state.zoom || isPainted(state);
  }

  private change(view: View, isSmooth: boolean): void {
    this.view = view;
    this.apply(isSmooth);
    this.wantFiles();
    const zoom = !isFit(view);
    if (zoom !== this.engine.state.zoom) this.engine.dispatch({ type: "zoom", zoom });
  }

  private measure(): void {
    if (this.elements === null) return;
    const { stage, fit } = this.elements;
    const { left, top } = stage.getBoundingClientRect();
    const inset = { x: fit.offsetLeft, y: fit.offsetTop };
    this.sizes = { stage: sizeOf(stage), fit: sizeOf(fit), origin: { x: left, y: top }, inset };
    this.engine.pictures.resize(this.sizes.fit.width, this.sizes.fit.height);
    this.fit();
    this.apply(false);
  }

  /** Lay the picture out as it fits; a view of another picture or of another stage may reach beyond it. */
  private fit(): void {
    if (this.elements === null || this.shown === null) return;
    const { fit, inset } = this.sizes;
    const { fitted } = this.frame;
    const [width, height] = [Math.round(fitted.width), Math.round(fitted.height)]; // browsers paint such boxes
    const [left, top] = [Math.round((fit.width - width) / 2), Math.round((fit.height - height) / 2)];
    this.box = { x: inset.x + left, y: inset.y + top, width, height };
    const css = { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` };
    for (const moved of this.moved) Object.assign(moved.style, css);
    if (!isFit(this.view)) this.view = clamped(this.view, this.frame);
  }

  private get frame(): Frame {
    const { stage, fit } = this.sizes;
    return { stage, fitted: fittedTo(fit, this.natural), most: largestScale(this.pixels) };
  }

  /** The file's size; before the file is there, that of the picture, whose shape is rounded to whole pixels. */
  private get natural(): Size {
    return this.shown === null ? this.sizes.fit : naturalOf(this.file ?? this.shown.picture);
  }

  /** The scale at which those pixels are the screen's. */
  private get pixels(): number {
    const { natural } = this;
    return pixelScale(fittedTo(this.sizes.fit, natural), natural, window.devicePixelRatio);
  }

  private apply(isSmooth: boolean): void {
    if (this.elements === null) return;
    const { stage } = this.elements;
    const transform = isFit(this.view) ? this.pulled() : this.enlarged();
    for (const moved of this.moved) {
      moved.dataset["smooth"] = String(isSmooth);
      moved.style.transform = transform;
    }
    stage.dataset["zoomed"] = String(!isFit(this.view));
    this.write();
  }

  /** Nothing ever lies over another picture than its own. */
  private cover(): void {
    const { over, shown } = this;
    const isIts = over !== null && shown !== null && over.key === keyOf(shown.queued);
    this.elements?.heat.replaceChildren(...(isIts ? [over.element] : []));
  }

  /** The picture and what lies over it. */
  private get moved(): readonly HTMLElement[] {
    return this.elements === null ? [] : [this.elements.glass, this.elements.heat];
  }

  private pulled(): string {
    const { x, y } = this.pull;
    return this.pull === MIDDLE ? "" : `translate(${x}px, ${y}px)`;
  }

  /** From the box of the whole picture to the view; pixels of the picture begin where pixels of the screen do. */
  private enlarged(): string {
    const { frame, view, box } = this;
    const { stage, origin } = this.sizes;
    const offset = offsetOf(view, frame);
    const width = view.scale * frame.fitted.width;
    const height = view.scale * frame.fitted.height;
    const x = snapped(origin.x + (stage.width - width) / 2 + offset.x) - origin.x - box.x;
    const y = snapped(origin.y + (stage.height - height) / 2 + offset.y) - origin.y - box.y;
    return `translate(${x}px, ${y}px) scale(${width / box.width}, ${height / box.height})`;
  }

  private write(): void {
    if (this.label === null) return;
    const isPixels = this.file !== null && Math.abs(this.view.scale / this.pixels - 1) < 0.001;
    this.label.textContent = isPixels ? "1:1" : `${this.view.scale.toFixed(1)}×`;
  }

  // --- the files themselves --------------------------------------------------------------------------------------------

  private get file(): HTMLImageElement | null {
    return this.shown && this.files.element(this.shown.queued);
  }

  private wantFiles(): void {
    const { shown, engine } = this;
    if (shown === null || !engine.state.zoom || !this.needsFile()) return this.files.want([]);
    const { queue, pinned, place } = engine.state;
    const next = pinned && place === null ? queue.slice(1, 1 + FILES_AHEAD) : [];
    this.files.want([shown.queued, ...next]);
  }

  /** Whether the view has more pixels than the picture that was fetched for the whole stage. */
  private needsFile(): boolean {
    if (this.awaited !== null || this.shown === null) return true;
    const pixels = this.frame.fitted.width * this.view.scale * window.devicePixelRatio;
    return pixels > this.shown.picture.naturalWidth;
  }

  private onFile(queued: Queued): void {
    if (this.shown === null || keyOf(queued) !== keyOf(this.shown.queued)) return;
    this.putFile();
    this.arrive();
  }

  /** Over the picture, so that this stays until the file is painted. */
  private putFile(): void {
    const { file, elements } = this;
    if (file === null || elements === null || elements.glass.contains(file)) return;
    file.className = "file";
    file.alt = "";
    this.fit();
    this.apply(false);
    elements.glass.append(file);
  }

  private onNoFile(queued: Queued): void {
    if (this.shown === null || keyOf(queued) !== keyOf(this.shown.queued)) return;
    this.engine.note("The full size cannot be shown now.");
    this.arrive();
  }

  private expect(at: Point): void {
    this.awaited = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.approach(), PATIENCE_MS);
  }

  /** Go where the person wants to look, as close as the pixels that are there allow. */
  private approach(): void {
    if (this.awaited === null) return;
    const scale = this.pixels > WORTH_WHILE ? this.pixels : 2;
    this.change(zoomed(FIT, scale, this.awaited, this.frame), true);
  }

  private arrive(): void {
    this.approach();
    this.awaited = null;
  }
}

const NOWHERE: Size = { width: 0, height: 0 };

function place({ queued, picture }: Shown, painted: boolean): void {
  picture.id = "image";
  picture.alt = named(queued.path);
  picture.dataset["image"] = String(queued.image);
  picture.dataset["painted"] = String(painted);
}

function sizeOf(element: HTMLElement): Size {
  return { width: element.clientWidth, height: element.clientHeight };
}

function naturalOf({ naturalWidth, naturalHeight }: HTMLImageElement): Size {
  return { width: naturalWidth, height: naturalHeight };
}

/** The nearest place where a pixel of the screen begins. */
function snapped(place: number): number {
  return Math.round(place * window.devicePixelRatio) / window.devicePixelRatio;
}
