// The map: fields as cells on a plate carrée, coastlines, dots, a mark; one panel or two with the same view.
import type { Scale } from "./colour";
import { paint } from "./colour";
import { clamp, type View } from "./state";
import type { Grid } from "./source";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A field in colours, one pixel a cell. */
export class Picture {
  readonly canvas = document.createElement("canvas");
  private readonly image: ImageData;

  constructor(readonly grid: Grid) {
    this.canvas.width = grid.columns;
    this.canvas.height = grid.rows;
    this.image = new ImageData(grid.columns, grid.rows);
  }

  show(values: Float32Array, scale: Scale): void {
    paint(values, new Uint32Array(this.image.data.buffer), scale);
    this.canvas.getContext("2d")!.putImageData(this.image, 0, 0);
  }
}

export interface Panel {
  picture: Picture | null;
  label: string;
  box: Box;
  clip: Box; // what of the box is drawn: less than all of it in a swipe
}

export interface Dot {
  latitude: number;
  longitude: number;
  colour: string;
}

/** Lines of (longitude, latitude) in hundredths of a degree. */
export class Coastlines {
  constructor(
    private readonly starts: Int32Array,
    private readonly points: Int16Array,
  ) {}

  static async load(scale: string): Promise<Coastlines> {
    const answer = await fetch(new URL(`coastlines-${scale}.bin`, document.baseURI));
    if (!answer.ok) throw new Error(`no coastlines (the server says ${answer.status})`);
    const bytes = await answer.arrayBuffer();
    const [count] = new Int32Array(bytes, 0, 1);
    return new Coastlines(new Int32Array(bytes, 4, count), new Int16Array(bytes, 4 * (count + 1)));
  }

  trace(path: Path2D, toX: (longitude: number) => number, toY: (latitude: number) => number): void {
    const { starts, points } = this;
    for (let k = 0; k < starts.length; k++) {
      const end = k + 1 < starts.length ? starts[k + 1] : points.length / 2;
      for (let i = starts[k]; i < end; i++) {
        const [x, y] = [toX(points[2 * i] / 100), toY(points[2 * i + 1] / 100)];
        if (i === starts[k]) path.moveTo(x, y);
        else path.lineTo(x, y);
      }
    }
  }
}

const OUTSIDE = "#e7e9ec";
const COAST = "#26323d";
const COAST_EDGE = "rgba(255, 255, 255, 0.4)"; // for dark ground
const DOT = 4.5; // pixels

export class MapDrawer {
  coast: Coastlines | null = null;
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d")!;
  }

  /** Take the size that the page gives the canvas. */
  resize(): void {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.max(1, Math.round(this.width * ratio));
    this.canvas.height = Math.max(1, Math.round(this.height * ratio));
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  draw(panels: Panel[], view: View, dots: Dot[], mark: { latitude: number; longitude: number } | null): void {
    const { context } = this;
    context.fillStyle = OUTSIDE;
    context.fillRect(0, 0, this.width, this.height);
    for (const panel of panels) {
      context.save();
      context.beginPath();
      context.rect(panel.clip.x, panel.clip.y, panel.clip.width, panel.clip.height);
      context.clip();
      if (panel.picture) this.drawPicture(panel.picture, panel.box, view);
      this.drawCoast(panel.box, view);
      for (const dot of dots) this.drawDot(dot, panel.box, view);
      if (mark) this.drawMark(mark, panel.box, view);
      context.restore();
      this.drawLabel(panel);
    }
  }

  private drawPicture(picture: Picture, box: Box, view: View): void {
    const { north, west, step, rows, columns } = picture.grid;
    const k = box.width / view.span;
    this.context.imageSmoothingEnabled = k * step < 1; // cells smaller than pixels are averaged, larger ones stay cells
    const top = toY(box, view, north + step / 2);
    const [firstRow, lastRow] = visible(top, step * k, rows, box.y, box.y + box.height);
    const [pole, otherPole] = [toY(box, view, 90), toY(box, view, -90)];
    this.context.save();
    this.context.beginPath();
    this.context.rect(box.x, pole, box.width, otherPole - pole);
    this.context.clip();
    for (const turn of turns(west, west + columns * step, view)) {
      const left = toX(box, view, west - step / 2 + turn);
      const [first, last] = visible(left, step * k, columns, box.x, box.x + box.width);
      if (last <= first || lastRow <= firstRow) continue;
      const [x0, x1] = [first, last].map((column) => Math.round(left + column * step * k));
      const [y0, y1] = [firstRow, lastRow].map((row) => Math.round(top + row * step * k));
      this.context.drawImage(picture.canvas, first, firstRow, last - first, lastRow - firstRow, x0, y0, x1 - x0, y1 - y0);
    }
    this.context.restore();
  }

  private drawCoast(box: Box, view: View): void {
    if (!this.coast) return;
    const path = new Path2D();
    for (const turn of turns(-190, 190, view))
      this.coast.trace(path, (longitude) => toX(box, view, longitude + turn), (latitude) => toY(box, view, latitude));
    this.context.save();
    this.context.lineWidth = 0.8; // thicker lines take many times as long
    this.context.strokeStyle = COAST_EDGE;
    this.context.translate(1, 1);
    this.context.stroke(path);
    this.context.strokeStyle = COAST;
    this.context.translate(-1, -1);
    this.context.stroke(path);
    this.context.restore();
  }

  private drawDot(dot: Dot, box: Box, view: View): void {
    for (const turn of turns(dot.longitude, dot.longitude, view)) {
      const [x, y] = [toX(box, view, dot.longitude + turn), toY(box, view, dot.latitude)];
      if (x < box.x - DOT || x > box.x + box.width + DOT || y < box.y - DOT || y > box.y + box.height + DOT) continue;
      this.context.beginPath();
      this.context.arc(x, y, DOT, 0, 2 * Math.PI);
      this.context.fillStyle = dot.colour;
      this.context.fill();
      this.context.lineWidth = 2.4;
      this.context.strokeStyle = "#ffffff";
      this.context.stroke();
      this.context.lineWidth = 1;
      this.context.strokeStyle = "#000000";
      this.context.stroke();
    }
  }

  private drawMark(mark: { latitude: number; longitude: number }, box: Box, view: View): void {
    for (const turn of turns(mark.longitude, mark.longitude, view)) {
      const [x, y] = [toX(box, view, mark.longitude + turn), toY(box, view, mark.latitude)];
      for (const [width, colour] of [[4, "#ffffff"], [1.6, "#000000"]] as const) {
        this.context.beginPath();
        this.context.arc(x, y, 7, 0, 2 * Math.PI);
        for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
          this.context.moveTo(x + 7 * dx, y + 7 * dy);
          this.context.lineTo(x + 13 * dx, y + 13 * dy);
        }
        this.context.lineWidth = width;
        this.context.strokeStyle = colour;
        this.context.stroke();
      }
    }
  }

  private drawLabel({ label, clip }: Panel): void {
    if (!label) return;
    this.context.font = "600 13px system-ui, sans-serif";
    const width = this.context.measureText(label).width + 14;
    const x = clip.x + clip.width < this.width - 1 || clip.x < 1 ? clip.x + 8 : clip.x + clip.width - width - 52;
    this.context.fillStyle = "rgba(255, 255, 255, 0.88)";
    this.context.fillRect(x, clip.y + 8, width, 24);
    this.context.fillStyle = "#1f2933";
    this.context.fillText(label, x + 7, clip.y + 25);
  }
}

export function toX(box: Box, view: View, longitude: number): number {
  return box.x + box.width / 2 + ((longitude - view.longitude) * box.width) / view.span;
}

export function toY(box: Box, view: View, latitude: number): number {
  return box.y + box.height / 2 - ((latitude - view.latitude) * box.width) / view.span;
}

/** The place at a pixel; null above the north pole and below the south pole. */
export function placeAt(box: Box, view: View, x: number, y: number): { latitude: number; longitude: number } | null {
  const k = box.width / view.span;
  const latitude = view.latitude - (y - box.y - box.height / 2) / k;
  const longitude = view.longitude + (x - box.x - box.width / 2) / k;
  return Math.abs(latitude) <= 90 ? { latitude, longitude } : null;
}

/** The view with its span and centre within what there is: never smaller than the whole Earth. */
export function within(view: View, box: Box): View {
  const whole = Math.max(360, (180 * box.width) / Math.max(box.height, 1));
  const span = clamp(view.span, 1.5, whole);
  const half = (box.height * span) / box.width / 2; // degrees of latitude from the middle to the edge
  const room = Math.max(0, 90 - half);
  return { span, latitude: clamp(view.latitude, -room, room), longitude: view.longitude };
}

/** The multiples of 360 by which what lies from west to east is moved to be seen. */
function turns(west: number, east: number, view: View): number[] {
  const [left, right] = [view.longitude - view.span / 2, view.longitude + view.span / 2];
  const found = [];
  for (let n = Math.floor((left - east) / 360); n <= Math.ceil((right - west) / 360); n++) found.push(360 * n);
  return found;
}

/** First and last of `count` pieces of a size, from `start` on, that lie within low and high. */
function visible(start: number, size: number, count: number, low: number, high: number): [number, number] {
  return [Math.max(0, Math.floor((low - start) / size)), Math.min(count, Math.ceil((high - start) / size))];
}
