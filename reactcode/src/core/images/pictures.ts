// The pictures that are or will soon be needed: for the stage, and small ones for the grid.
import type { Queued } from "../../api";
import { nextGrid, type State } from "../session";
import { Preload, sizeFor, type PreloadEvents } from "./preload";

export const AHEAD = 16; // how many images after the one shown are fetched and decoded

export class Pictures {
  private stage = { width: 1280, height: 720 };
  private cell_px = sizeFor(320, 320, window.devicePixelRatio);
  private readonly large: Preload;
  private readonly cells: Preload;
  private wanted: State | null = null; // the last state given to want()

  constructor(events: Omit<PreloadEvents, "size_px">) {
    const stage_px = () => sizeFor(this.stage.width, this.stage.height, window.devicePixelRatio);
    this.large = new Preload({ ...events, size_px: stage_px });
    this.cells = new Preload({ ...events, size_px: () => this.cell_px });
  }

  /** The decoded picture for the stage; null while it is on its way. */
  element(queued: Queued): HTMLImageElement | null {
    return this.large.element(queued);
  }

  /** A picture in the size of a cell or larger, for the grid and for thumbnails; null while there is none. */
  small(queued: Queued): HTMLImageElement | null {
    return this.cells.element(queued) ?? this.large.element(queued);
  }

  /** Whether pictures are on their way. */
  get isBusy(): boolean {
    return this.large.isBusy || this.cells.isBusy;
  }

  /** How long it takes to have a picture for the stage. */
  get fetch_ms(): number {
    return this.large.fetch_ms;
  }

  /** Sets the size of the stage in CSS pixels; later fetches choose the picture size for it. */
  resize(width: number, height: number): void {
    this.stage = { width, height };
  }

  /** Sets the size of a grid cell in CSS pixels; if it has grown, its pictures are fetched again, sharper. */
  resizeCells(width: number, height: number): void {
    const before_px = this.cell_px;
    this.cell_px = sizeFor(width, height, window.devicePixelRatio);
    if (this.cell_px <= before_px) return;
    this.cells.close();
    if (this.wanted !== null) this.want(this.wanted);
  }

  /** Load what is looked at, its neighbours, and what comes next. */
  want(state: State): void {
    this.wanted = state;
    const { queue, past, place, grid } = state;
    const walked = place === null ? [] : [0, 1, -1, 2, -2].map((step) => past[place + step]);
    const ahead = queue.slice(0, grid.isOpen ? 2 : AHEAD + 1);
    this.large.want([...walked.filter((queued) => queued !== undefined), ...ahead]);
    const cells = grid.isOpen ? [...grid.cells, ...nextGrid(state)] : [];
    this.cells.want(cells.filter((queued) => this.large.element(queued) === null));
  }

  /** Retry now what waits for the server. */
  hurry(): void {
    this.large.hurry();
    this.cells.hurry();
  }

  close(): void {
    this.large.close();
    this.cells.close();
  }
}
