// The view of the picture: moves and enlarges the element itself, without rendering anything.
import type { Queued } from "../../api";
import type { Engine } from "../../core/engine";
import { Preload } from "../../core/images";
import { isPainted, keyOf, type State } from "../../core/session";
import { named } from "../../core/words";
import { Glass, type Elements } from "./glass";
import { clamped, FIT, isFit, MIDDLE, panned, zoomed, type Frame, type Point, type Size } from "./view";
import type { View } from "./view";

const FILES_AHEAD = 2; // so many files are fetched ahead in their own size while the view is pinned
const FILES_SPARE = 1; // a file of twelve megapixels takes 48 MB once it is decoded
const WORTH_WHILE = 1.25; // where 1:1 is no larger than this scale, looking closely means twice as large
const STRIDE = 0.15; // the share of the stage that a key moves the view by
const PATIENCE_MS = 150; // how long to wait for a file before the fetched picture is enlarged instead

interface Shown {
  readonly queued: Queued;
  readonly picture: HTMLImageElement;
}

export class Lens {
  /** Where the mouse is; null while it is elsewhere. */
  mouse: Point | null = null;
  readonly glass = new Glass();
  private view: View = FIT;
  private pull: Point = MIDDLE;
  private shown: Shown | null = null;
  private awaited: Point | null = null; // the point to look at closely once the file is there
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly files = new Preload(
    {
      size_px: () => null,
      onDecoded: (queued) => this.onFile(queued, true),
      onUnreadable: (queued) => this.onFile(queued, false),
      onTrouble: () => this.approach(),
    },
    FILES_SPARE,
  );

  constructor(private readonly engine: Engine) {}

  /** Begin; the returned function ends it. */
  attach(elements: Elements): () => void {
    const detach = this.glass.attach(elements, () => {
      this.engine.pictures.resize(this.glass.fit.width, this.glass.fit.height);
      this.layOut();
      this.apply(false);
    });
    return () => {
      detach();
      clearTimeout(this.timer);
      this.files.close();
    };
  }

  /** Show a decoded picture; null: none. */
  show(queued: Queued | null, picture: HTMLImageElement | null, state: State): void {
    const isSame = picture !== null && this.shown?.picture === picture;
    this.shown = queued && picture && { queued, picture };
    if (this.shown === null) this.glass.show(null);
    else place(this.shown, isPainted(state));
    if (!isSame) this.turn(state);
    else this.follow(state);
    this.wantFiles();
  }

  /** Zooms in by a factor, or out. */
  zoom(factor: number, at: Point, isSmooth: boolean): void {
    if (!canLook(this.engine.state)) return;
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
    if (!canLook(this.engine.state)) return;
    this.awaited = null;
    const moved = panned(this.view, by, this.frame);
    this.change(zoomed(moved, factor, at, this.frame), false);
  }

  /** One stride of a key: the view goes that way, 1 or -1. */
  stride(x: number, y: number): void {
    const { width, height } = this.glass.stage;
    this.pan({ x: -STRIDE * width * x, y: -STRIDE * height * y }, true);
  }

  /** Zooms to the file's own pixels about a point, or back. */
  toggle(at: Point): void {
    const zoom = !this.engine.state.zoom;
    if (zoom && canLook(this.engine.state)) this.expect(at);
    this.engine.dispatch({ type: "zoom", zoom });
  }

  /** A whole picture follows the finger that swipes it. */
  follows(by: Point): void {
    this.pull = by;
    this.apply(false);
  }

  /** Moves the picture back to the middle when the finger has let go. */
  springBack(isSmooth: boolean): void {
    this.pull = MIDDLE;
    this.apply(isSmooth);
  }

  // --- what follows --------------------------------------------------------------------------------------------------

  /** Turns to another picture; a pinned view stays, as far as this picture reaches. */
  private turn(state: State): void {
    this.awaited = null;
    this.pull = MIDDLE;
    this.view = state.zoom ? this.view : FIT;
    this.glass.turn(this.shown && keyOf(this.shown.queued));
    if (this.shown !== null && this.glass.isThere) {
      this.layOut();
      this.glass.show(this.shown.picture);
      this.putFile();
    }
    this.apply(false);
  }

  /** Zooms in or out as the state says. */
  private follow({ zoom }: State): void {
    if (!zoom) this.awaited = null;
    if (!zoom && !isFit(this.view)) this.change(FIT, true);
    if (zoom && isFit(this.view) && this.shown !== null) {
      if (this.awaited === null) this.expect(this.mouse ?? MIDDLE);
      if (this.file !== null) this.arrive();
    }
  }

  private change(view: View, isSmooth: boolean): void {
    this.view = view;
    this.apply(isSmooth);
    this.wantFiles();
    const zoom = !isFit(view);
    if (zoom !== this.engine.state.zoom) this.engine.dispatch({ type: "zoom", zoom });
  }

  /** Lay the picture out as it fits; a view of another picture or of another stage may reach beyond it. */
  private layOut(): void {
    if (!this.glass.isThere || this.shown === null) return;
    this.glass.layOut(this.frame.fitted);
    if (!isFit(this.view)) this.view = clamped(this.view, this.frame);
  }

  private get frame(): Frame {
    return this.glass.frameOf(this.natural);
  }

  /** The file's size; before the file is there, that of the picture, whose shape is rounded to whole pixels. */
  private get natural(): Size {
    return this.shown === null ? this.glass.fit : naturalOf(this.file ?? this.shown.picture);
  }

  private apply(isSmooth: boolean): void {
    if (!this.glass.isThere) return;
    if (isFit(this.view)) this.glass.showWhole(this.pull, isSmooth);
    else this.glass.showPart(this.view, this.frame, isSmooth);
    const { scale } = this.view;
    const isPixels = this.file !== null && Math.abs(scale / this.glass.pixelsOf(this.natural) - 1) < 0.001;
    this.glass.writeScale(isPixels ? "1:1" : `${scale.toFixed(1)}×`);
  }

  // --- the files themselves --------------------------------------------------------------------------------------------

  private get file(): HTMLImageElement | null {
    return this.shown && this.files.element(this.shown.queued);
  }

  private wantFiles(): void {
    const { shown, engine } = this;
    if (shown === null || !engine.state.zoom || !this.needsFile(shown)) return this.files.want([]);
    const { queue, pinned, place } = engine.state;
    const next = pinned && place === null ? queue.slice(1, 1 + FILES_AHEAD) : [];
    this.files.want([shown.queued, ...next]);
  }

  /** Whether the view has more pixels than the picture that was fetched for the whole stage. */
  private needsFile({ picture }: Shown): boolean {
    if (this.awaited !== null) return true;
    const pixels = this.frame.fitted.width * this.view.scale * window.devicePixelRatio;
    return pixels > picture.naturalWidth;
  }

  /** The file of a picture is there, or will never be. */
  private onFile(queued: Queued, isThere: boolean): void {
    if (this.shown === null || keyOf(queued) !== keyOf(this.shown.queued)) return;
    if (isThere) this.putFile();
    else this.engine.note("The full size cannot be shown now.");
    this.arrive();
  }

  private putFile(): void {
    const { file, glass } = this;
    if (file === null || !glass.isThere || glass.holds(file)) return;
    this.layOut();
    this.apply(false);
    glass.add(file);
  }

  private expect(at: Point): void {
    this.awaited = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.approach(), PATIENCE_MS);
  }

  /** Zooms to where the person wants to look, as close as the loaded pixels allow. */
  private approach(): void {
    if (this.awaited === null) return;
    const pixels = this.glass.pixelsOf(this.natural);
    const scale = pixels > WORTH_WHILE ? pixels : 2;
    this.change(zoomed(FIT, scale, this.awaited, this.frame), true);
  }

  private arrive(): void {
    this.approach();
    this.awaited = null;
  }
}

/** Whether there is something to look at closely. */
function canLook(state: State): boolean {
  return state.zoom || isPainted(state);
}

function place({ queued, picture }: Shown, painted: boolean): void {
  picture.id = "image";
  picture.alt = named(queued.path);
  picture.dataset["image"] = String(queued.image);
  picture.dataset["painted"] = String(painted);
}

function naturalOf({ naturalWidth, naturalHeight }: HTMLImageElement): Size {
  return { width: naturalWidth, height: naturalHeight };
}
