// The series at a place: a line with gaps, dots at analyses, CAMS beside it.
import { plain } from "./colour";
import { ANALYSIS, HOUR, MISSING } from "./source";

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
const LABEL = 100; // pixels for a label of a time, and to its neighbours
const HOURS = [1, 3, 6, 12, 24, 48, 120, 240]; // between labels
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
const MONTH = 730; // hours

export function element(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text) made.textContent = text;
  return made;
}

export class Chart {
  private series: Series | null = null;
  private range: [number, number] = [0, 1]; // hours from edge to edge

  constructor(private readonly svg: SVGSVGElement) {}

  get width(): number {
    return Math.max(240, this.svg.clientWidth || 640);
  }

  get height(): number {
    return Math.max(120, this.svg.clientHeight || 200);
  }

  draw(series: Series, now: number): void {
    this.series = series;
    this.range = extent(series, now);
    const [top, step] = ceiling(series);
    const parts: SVGElement[] = [...this.yAxis(top, step), ...this.xAxis()];
    const nowX = this.x(now);
    if (nowX >= LEFT && nowX <= this.width - RIGHT)
      parts.push(element("line", { class: "now", x1: nowX, x2: nowX, y1: TOP, y2: this.height - BOTTOM }));
    if (series.cams) parts.push(this.path("cams-line", line(within(series.cams, this.range), (x) => this.x(x), (y) => this.y(y, top), 6)));
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
    const wanted = this.range[0] + share * (this.range[1] - this.range[0]);
    const i = hours.findIndex((hour) => hour >= wanted - 0.5);
    return share < -0.02 || share > 1.02 || i < 0 ? null : i;
  }

  private x(hour: number): number {
    const [first, last] = this.range;
    return LEFT + ((hour - first) / Math.max(1, last - first)) * (this.width - LEFT - RIGHT);
  }

  private y(value: number, top: number): number {
    return this.height - BOTTOM - (value / top) * (this.height - TOP - BOTTOM);
  }

  private path(name: string, d: string): SVGElement {
    return element("path", { class: name, d: d || "M0 0" });
  }

  private yAxis(top: number, step: number): SVGElement[] {
    return Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step).flatMap((value) => {
      const y = this.y(value, top);
      return [
        element("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }),
        element("text", { class: "tick", x: LEFT - 6, y: y + 4, "text-anchor": "end" }, plain(value)),
      ];
    });
  }

  private xAxis(): SVGElement[] {
    return timeTicks(...this.range, (this.width - LEFT - RIGHT) / LABEL).flatMap(({ hour, label }) => {
      const x = this.x(hour);
      const anchor = x > this.width - LABEL / 2 ? "end" : "middle";
      return [
        element("line", { class: "grid", x1: x, x2: x, y1: TOP, y2: this.height - BOTTOM + 4 }),
        element("text", { class: "tick", x, y: this.height - 8, "text-anchor": anchor }, label),
      ];
    });
  }
}

/** From the first hour that was made, measured, or is looked at, to the last; all hours if there is none. */
function extent({ hours, kinds, observed }: Series, now: number): [number, number] {
  const [first, last] = [hours[0], hours[hours.length - 1]];
  const looked = now >= first && now <= last ? [now] : [];
  const there = [...hours.filter((_, i) => kinds[i] !== MISSING), ...(observed?.hours ?? []), ...looked];
  return there.length ? [there.reduce((a, b) => Math.min(a, b)), there.reduce((a, b) => Math.max(a, b))] : [first, last];
}

/** What of a series is in a range of hours. */
function within({ hours, values }: { hours: number[]; values: number[] }, [first, last]: [number, number]) {
  const there = [...hours.keys()].filter((i) => hours[i] >= first && hours[i] <= last);
  return { hours: there.map((i) => hours[i]), values: there.map((i) => values[i]) };
}

/** The top of the axis and the step to it: 1, 2 or 5 times a power of ten, 3 to 6 of them. */
function ceiling({ values, cams, observed }: Series): [number, number] {
  let peak = 0;
  for (const part of [values, cams?.values ?? [], observed?.values ?? []]) for (const value of part) if (value > peak) peak = value;
  if (!peak) return [1, 0.2];
  const decade = Math.floor(Math.log10(peak)) - 1;
  const steps = [1, 2, 5, 10, 20].map((one) => Number(`${one}e${decade}`));
  const step = steps.find((one) => Math.ceil(peak / one) <= 6)!;
  return [Math.ceil(peak / step) * step, step];
}

/** Hours to be marked on an axis of time with room for some labels: round hours and days, or months and years. */
function timeTicks(first: number, last: number, room: number): { hour: number; label: string }[] {
  const step = HOURS.find((one) => (last - first) / one <= room);
  const found: { hour: number; label: string }[] = [];
  if (step)
    for (let hour = Math.ceil(first / step) * step; hour <= last; hour += step) {
      const text = new Date(hour * HOUR).toISOString();
      found.push({ hour, label: step < 24 ? `${text.slice(5, 10)} ${text.slice(11, 13)}h` : text.slice(0, 10) });
    }
  else {
    const months = MONTHS.find((one) => (last - first) / (one * MONTH) <= room) ?? MONTHS[MONTHS.length - 1];
    const start = new Date(first * HOUR);
    for (let month = Math.floor((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months; ; month += months) {
      const hour = Date.UTC(Math.floor(month / 12), month % 12) / HOUR;
      if (hour > last) break;
      if (hour >= first) found.push({ hour, label: new Date(hour * HOUR).toISOString().slice(0, months % 12 ? 7 : 4) });
    }
  }
  return found.length ? found : [{ hour: first, label: new Date(first * HOUR).toISOString().slice(0, 10) }];
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
