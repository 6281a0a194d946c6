// The elements that show a picture: where they lie on the stage, how they are moved, and what lies over them.
import { fittedTo, largestScale, MIDDLE, offsetOf, pixelScale } from "./view";
import type { Frame, Point, Size, View } from "./view";

/** What takes the pointer, where the whole picture fits, what moves, and what lies over it and moves too. */
export interface Elements {
  readonly stage: HTMLElement;
  readonly fit: HTMLElement;
  readonly glass: HTMLElement;
  readonly heat: HTMLElement;
}

const NOWHERE: Size = { width: 0, height: 0 };

export class Glass {
  private elements: Elements | null = null;
  private over: { readonly key: string; readonly element: HTMLElement } | null = null;
  private key: string | null = null; // the key of the picture that is shown
  private label: HTMLElement | null = null;
  private scale = "";
  private sizes = { stage: NOWHERE, fit: NOWHERE, origin: MIDDLE, inset: MIDDLE };
  private box = { ...MIDDLE, ...NOWHERE }; // where the glass lies in the stage

  /** Begin; `onSize` is called now and whenever the stage has another size. The returned function ends it. */
  attach(elements: Elements, onSize: () => void): () => void {
    this.elements = elements;
    const measure = () => {
      this.measure(elements);
      onSize();
    };
    const observer = new ResizeObserver(measure);
    observer.observe(elements.stage);
    measure();
    return () => {
      observer.disconnect();
      this.elements = null;
    };
  }

  /** Whether there are elements. */
  get isThere(): boolean {
    return this.elements !== null;
  }

  get stage(): Size {
    return this.sizes.stage;
  }

  /** Where the whole picture fits. */
  get fit(): Size {
    return this.sizes.fit;
  }

  /** What a view of a picture of this size is seen in. */
  frameOf(natural: Size): Frame {
    const { stage, fit } = this.sizes;
    return { stage, fitted: fittedTo(fit, natural), most: largestScale(this.pixelsOf(natural)) };
  }

  /** The scale at which the pixels of a picture of this size are the screen's. */
  pixelsOf(natural: Size): number {
    return pixelScale(fittedTo(this.sizes.fit, natural), natural, window.devicePixelRatio);
  }

  /** Put the decoded element itself into the page: nothing is decoded twice, and it is there at once. */
  show(picture: HTMLImageElement | null): void {
    this.elements?.glass.replaceChildren(...(picture ? [picture] : []));
  }

  /** Puts the file over the picture, which stays until the file is painted. */
  add(file: HTMLImageElement): void {
    file.className = "file";
    file.alt = "";
    this.elements?.glass.append(file);
  }

  holds(file: HTMLImageElement): boolean {
    return this.elements?.glass.contains(file) ?? false;
  }

  /** Lay something over the picture of this key, as long as it is the one that is shown; null: nothing. */
  lay(key: string | null, over: HTMLElement | null): void {
    this.over = key !== null && over ? { key, element: over } : null;
    this.cover();
  }

  /** Another picture is shown, or none. */
  turn(key: string | null): void {
    this.key = key;
    this.cover();
  }

  /** Lay the whole picture out in the middle of where it fits. */
  layOut(fitted: Size): void {
    const { fit, inset } = this.sizes;
    const [width, height] = [Math.round(fitted.width), Math.round(fitted.height)]; // browsers paint such boxes
    const [left, top] = [Math.round((fit.width - width) / 2), Math.round((fit.height - height) / 2)];
    this.box = { x: inset.x + left, y: inset.y + top, width, height };
    const css = { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` };
    for (const moved of this.moved) Object.assign(moved.style, css);
  }

  /** Show the whole picture, moved by as much. */
  showWhole(by: Point, isSmooth: boolean): void {
    this.move(by === MIDDLE ? "" : `translate(${by.x}px, ${by.y}px)`, isSmooth, false);
  }

  /** From the box of the whole picture to the view; pixels of the picture begin where pixels of the screen do. */
  showPart(view: View, frame: Frame, isSmooth: boolean): void {
    const { box } = this;
    const { stage, origin } = this.sizes;
    const offset = offsetOf(view, frame);
    const width = view.scale * frame.fitted.width;
    const height = view.scale * frame.fitted.height;
    const x = snapped(origin.x + (stage.width - width) / 2 + offset.x) - origin.x - box.x;
    const y = snapped(origin.y + (stage.height - height) / 2 + offset.y) - origin.y - box.y;
    const scale = `scale(${width / box.width}, ${height / box.height})`;
    this.move(`translate(${x}px, ${y}px) ${scale}`, isSmooth, true);
  }

  /** Where the scale is written. */
  writeScaleTo(label: HTMLElement | null): void {
    this.label = label;
    this.writeScale(this.scale);
  }

  writeScale(scale: string): void {
    this.scale = scale;
    if (this.label !== null) this.label.textContent = scale;
  }

  private move(transform: string, isSmooth: boolean, isZoomed: boolean): void {
    if (this.elements === null) return;
    for (const moved of this.moved) {
      moved.dataset["smooth"] = String(isSmooth);
      moved.style.transform = transform;
    }
    this.elements.stage.dataset["zoomed"] = String(isZoomed);
  }

  private measure({ stage, fit }: Elements): void {
    const { left, top } = stage.getBoundingClientRect();
    const inset = { x: fit.offsetLeft, y: fit.offsetTop };
    this.sizes = { stage: sizeOf(stage), fit: sizeOf(fit), origin: { x: left, y: top }, inset };
  }

  /** Shows what lies over the picture only over its own one. */
  private cover(): void {
    const isIts = this.over !== null && this.over.key === this.key;
    this.elements?.heat.replaceChildren(...(isIts && this.over ? [this.over.element] : []));
  }

  /** The picture and what lies over it. */
  private get moved(): readonly HTMLElement[] {
    return this.elements === null ? [] : [this.elements.glass, this.elements.heat];
  }
}

function sizeOf(element: HTMLElement): Size {
  return { width: element.clientWidth, height: element.clientHeight };
}

/** The nearest place where a pixel of the screen begins. */
function snapped(place: number): number {
  return Math.round(place * window.devicePixelRatio) / window.devicePixelRatio;
}
