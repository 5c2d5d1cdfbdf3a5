// The series at a place: a line with gaps, dots at analyses, CAMS beside it.
import { plain } from "./colour";
import { ANALYSIS, HOUR } from "./source";

export interface Series {
  hours: number[]; // since 1970-01-01 UTC
  values: number[]; // NaN where missing
  kinds: number[];
  cams: { hours: number[]; values: number[] } | null;
  observed: { hours: number[]; values: number[] } | null;
}

const NAMESPACE = "http://www.w3.org/2000/svg";
const LEFT = 46;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 26;

export function element(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text) made.textContent = text;
  return made;
}

export class Chart {
  private series: Series | null = null;

  constructor(private readonly svg: SVGSVGElement) {}

  get width(): number {
    return Math.max(240, this.svg.clientWidth || 640);
  }

  get height(): number {
    return Math.max(120, this.svg.clientHeight || 200);
  }

  draw(series: Series, now: number): void {
    this.series = series;
    const top = ceiling(series);
    const parts: SVGElement[] = [...this.yAxis(top), ...this.xAxis()];
    const nowX = this.x(now);
    if (nowX >= LEFT && nowX <= this.width - RIGHT)
      parts.push(element("line", { class: "now", x1: nowX, x2: nowX, y1: TOP, y2: this.height - BOTTOM }));
    if (series.cams) parts.push(this.path("cams-line", line(series.cams, (x) => this.x(x), (y) => this.y(y, top), 6)));
    parts.push(this.path("line", line(series, (x) => this.x(x), (y) => this.y(y, top), 1)));
    const analyses = series.kinds.flatMap((kind, i) => (kind === ANALYSIS && !Number.isNaN(series.values[i]) ? [i] : []));
    const dots = analyses.map((i) => `M${this.x(series.hours[i]).toFixed(1)} ${this.y(series.values[i], top).toFixed(1)}h0`);
    parts.push(this.path("analysis", dots.join("")));
    if (series.observed) {
      const { hours, values } = series.observed;
      parts.push(this.path("observed", hours.map((hour, i) => `M${this.x(hour).toFixed(1)} ${this.y(values[i], top).toFixed(1)}h0`).join("")));
    }
    this.svg.replaceChildren(...parts);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
  }

  /** Number of the hour at a pixel; null if there is none. */
  at(x: number): number | null {
    const hours = this.series?.hours;
    if (!hours?.length) return null;
    const share = (x - LEFT) / (this.width - LEFT - RIGHT);
    const wanted = hours[0] + share * (hours[hours.length - 1] - hours[0]);
    const i = hours.findIndex((hour) => hour >= wanted - 0.5);
    return share < -0.02 || share > 1.02 || i < 0 ? null : i;
  }

  private x(hour: number): number {
    const hours = this.series!.hours;
    const length = Math.max(1, hours[hours.length - 1] - hours[0]);
    return LEFT + ((hour - hours[0]) / length) * (this.width - LEFT - RIGHT);
  }

  private y(value: number, top: number): number {
    return this.height - BOTTOM - (value / top) * (this.height - TOP - BOTTOM);
  }

  private path(name: string, d: string): SVGElement {
    return element("path", { class: name, d: d || "M0 0" });
  }

  private yAxis(top: number): SVGElement[] {
    return [0, 0.25, 0.5, 0.75, 1].flatMap((part) => {
      const y = this.y(part * top, top);
      return [
        element("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }),
        element("text", { class: "tick", x: LEFT - 6, y: y + 4, "text-anchor": "end" }, plain(part * top)),
      ];
    });
  }

  private xAxis(): SVGElement[] {
    const { hours } = this.series!;
    const [first, last] = [hours[0], hours[hours.length - 1]];
    const room = Math.max(2, Math.floor((this.width - LEFT - RIGHT) / 90));
    const steps = [1, 3, 6, 12, 24, 48, 120, 240, 720, 2160, 8760];
    const step = steps.find((one) => (last - first) / one <= room) ?? 17520;
    const found = [];
    for (let hour = Math.ceil(first / step) * step; hour <= last; hour += step) {
      const text = new Date(hour * HOUR).toISOString();
      const label = step < 24 ? `${text.slice(5, 10)} ${text.slice(11, 13)}h` : text.slice(0, 10);
      const x = this.x(hour);
      found.push(element("line", { class: "grid", x1: x, x2: x, y1: TOP, y2: this.height - BOTTOM + 4 }));
      found.push(element("text", { class: "tick", x, y: this.height - 8, "text-anchor": "middle" }, label));
    }
    return found;
  }
}

/** The top of the axis: a round number above all values. */
function ceiling({ values, cams, observed }: Series): number {
  const all = [...values, ...(cams?.values ?? []), ...(observed?.values ?? [])].filter((one) => !Number.isNaN(one));
  const peak = all.reduce((a, b) => Math.max(a, b), 0);
  if (!(peak > 0)) return 1;
  const decade = 10 ** Math.floor(Math.log10(peak));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((one) => one * decade).find((one) => one >= peak)!;
}

/** A path through the values, broken where one is missing or the next is further than `reach` hours away. */
function line(
  { hours, values }: { hours: number[]; values: number[] }, x: (hour: number) => number, y: (value: number) => number, reach: number,
): string {
  let text = "";
  let before = -Infinity;
  hours.forEach((hour, i) => {
    if (Number.isNaN(values[i])) return;
    text += `${hour - before > reach ? "M" : "L"}${x(hour).toFixed(1)} ${y(values[i]).toFixed(1)}`;
    before = hour;
  });
  return text;
}
