// The series at a place: read piece by piece within a bound that is told, drawn as it comes, saved as CSV.
import { Chart, type Series } from "./chart";
import { byId, save, setText } from "./dom";
import { cellAt, latitudeOf, longitudeOf } from "./grid";
import { Stopped, type Reader } from "./reader";
import { MISSING } from "./source";
import type { Stations } from "./stations";
import { unitText as unitOf } from "./colour";
import { hourKey, placeText, solarText, utcText, valueText, wrapped } from "./text";

const FROM_MAPS = 120; // hours read at first where every hour is a whole map
const FROM_SERIES = 8784; // where they are stored for series: a year
const KINDS = ["analysis", "interpolated", "missing"];
const REDRAW = 120; // milliseconds

export class PointPanel {
  private readonly chart = new Chart(byId<SVGSVGElement>("chart"));
  private series: Series | null = null;
  private place: { latitude: number; longitude: number; station: number | null } | null = null;
  private bound = 0;
  private stops: (() => void)[] = [];
  private drawn = 0;
  private turn = 0;

  constructor(
    private readonly reader: Reader,
    private readonly cams: Reader | null,
    private readonly stations: Stations | null,
    private readonly now: () => number,
    private readonly go: (number: number) => void,
  ) {
    byId("series-more").addEventListener("click", () => this.more());
    byId("series-stop").addEventListener("click", () => this.stop());
    byId("series-save").addEventListener("click", () => this.saveCsv());
    const svg = byId("chart");
    svg.addEventListener("pointermove", (event) => this.hover(event));
    svg.addEventListener("click", (event) => {
      const i = this.chart.at((event as MouseEvent).clientX - svg.getBoundingClientRect().left);
      if (i !== null) this.go(this.first + i);
    });
    window.addEventListener("resize", () => this.redraw());
  }

  private first = 0;

  /** Show the series at a place; of a station that is there also what it measured. */
  async open(latitude: number, longitude: number): Promise<void> {
    this.place = { latitude, longitude, station: this.stations?.at(latitude, longitude) ?? null };
    this.bound = this.reader.facts.series ? FROM_SERIES : FROM_MAPS;
    byId("series").hidden = false;
    await this.read();
  }

  close(): void {
    this.stop();
    this.turn++;
    this.place = this.series = null;
    byId("series").hidden = true;
  }

  redraw(): void {
    if (this.series && !byId("series").hidden) this.chart.draw(this.series, this.now());
  }

  private stop(): void {
    for (const stop of this.stops) stop();
    this.stops = [];
  }

  private async more(): Promise<void> {
    this.bound *= 4;
    await this.read();
  }

  /** First and last number of the hours within the bound, around the hour that is shown. */
  private window(): [number, number] {
    const count = this.reader.facts.hours.length;
    const middle = this.reader.facts.hours.indexOf(this.now());
    const first = Math.max(0, Math.min(middle - Math.floor(this.bound / 2), count - this.bound));
    return [first, Math.min(count, first + this.bound)];
  }

  private async read(): Promise<void> {
    this.stop();
    const turn = ++this.turn;
    const { latitude, longitude, station } = this.place!;
    const { grid, hours, unit } = this.reader.facts;
    const [first, last] = this.window();
    const cell = cellAt(grid, latitude, longitude);
    this.first = first;
    const own = hours.slice(first, last);
    const series: Series = { hours: [...own], values: Array.from(own, () => NaN), kinds: Array.from(own, () => 1), cams: null, observed: null };
    this.series = series;
    const name = station === null ? "" : `${this.stations?.told.name[station]}, `;
    setText("series-title", cell ? `${name}${placeText(latitudeOf(grid, cell[0]), longitudeOf(grid, cell[1]))}, cell of ${grid.step}°, ${unitOf(unit)}` : `${name}${placeText(latitude, longitude)}`);
    byId<HTMLButtonElement>("series-more").disabled = last - first >= hours.length;
    byId("key-cams").hidden = !this.cams;
    byId("key-observed").hidden = true;
    if (!cell) return this.tell("Outside the data.");
    const begun = performance.now();
    try {
      const parts = [this.readFine(series, cell, first, last, turn), this.readCams(series, latitude, longitude, own), this.readObserved(series, station)];
      byId("series-stop").hidden = false;
      await Promise.all(parts);
      if (turn === this.turn) this.finish(series, last - first, (performance.now() - begun) / 1000, "");
    } catch (error) {
      if (turn !== this.turn) return;
      this.finish(series, last - first, (performance.now() - begun) / 1000, error instanceof Stopped ? "stopped" : String((error as Error).message));
    }
  }

  private async readFine(series: Series, [row, column]: [number, number], first: number, last: number, turn: number): Promise<void> {
    const { grid } = this.reader.facts;
    let read = 0;
    const { answer, stop } = this.reader.cell(row, column, first, last, (start, values) => {
      if (turn !== this.turn) return;
      values.forEach((value, k) => {
        const i = start + k - first;
        if (i < 0 || i >= series.hours.length) return;
        const kind = this.reader.kinds[start + k];
        series.kinds[i] = kind === 255 ? 1 : kind;
        series.values[i] = kind === MISSING ? NaN : value;
        read++;
      });
      this.progress(read, last - first);
    });
    this.stops.push(stop);
    for (let i = first; i < last; i++) {
      const kept = this.reader.kept(i); // what is on the map already need not be waited for
      if (kept && this.reader.kinds[i] !== MISSING) series.values[i - first] = kept[row * grid.columns + column];
    }
    for (let i = first; i < last && this.reader.facts.series; i++) await this.reader.learn(i);
    await answer;
    for (let i = first; i < last; i++) series.kinds[i - first] = this.reader.kinds[i] === 255 ? 1 : this.reader.kinds[i];
  }

  private async readCams(series: Series, latitude: number, longitude: number, own: Float64Array): Promise<void> {
    const cams = this.cams;
    const cell = cams && cellAt(cams.facts.grid, latitude, longitude);
    if (!cams || !cell) return;
    const { hours } = cams.facts;
    const inside = [...hours.keys()].filter((i) => hours[i] >= own[0] && hours[i] <= own[own.length - 1]);
    series.cams = { hours: inside.map((i) => hours[i]), values: inside.map(() => NaN) };
    if (!inside.length) return;
    const { values } = series.cams;
    const { answer, stop } = cams.cell(cell[0], cell[1], inside[0], inside[inside.length - 1] + 1, (start, found) => {
      found.forEach((value, k) => (values[start + k - inside[0]] = value));
    });
    this.stops.push(stop);
    await answer;
  }

  private async readObserved(series: Series, station: number | null): Promise<void> {
    if (station === null || !this.stations) return;
    const found = await this.stations.series(station, series.hours[0], series.hours[series.hours.length - 1]);
    series.observed = found.hours.length ? found : null;
    byId("key-observed").hidden = !series.observed;
  }

  private progress(read: number, total: number): void {
    this.tell(`${read} of ${total} hours read`);
    if (performance.now() - this.drawn < REDRAW) return;
    this.drawn = performance.now();
    this.redraw();
  }

  private finish(series: Series, total: number, seconds: number, trouble: string): void {
    byId("series-stop").hidden = true;
    this.stops = [];
    this.redraw();
    const { unit, hours } = this.reader.facts;
    const there = series.values.map((value, i) => [value, series.hours[i]]).filter(([value]) => !Number.isNaN(value));
    const mean = there.reduce((sum, [value]) => sum + value, 0) / there.length;
    const [peak, when] = there.reduce((a, b) => (b[0] > a[0] ? b : a), [-Infinity, 0]);
    const facts = there.length
      ? `${there.length} hours from ${utcText(there[0][1])} to ${utcText(there[there.length - 1][1])}: mean ${valueText(mean, unitOf(unit))}, highest ${valueText(peak, unitOf(unit))} at ${utcText(when)}`
      : "No hour with data here";
    const rest = hours.length > total ? `; ${hours.length - total} more hours are in the store` : "";
    this.tell(`${facts}${rest} (${seconds.toFixed(1)} s${trouble ? `, ${trouble}` : ""}).`);
    byId("series").dataset.ready = String(this.turn);
  }

  private tell(text: string): void {
    setText("series-text", text);
  }

  private hover(event: PointerEvent): void {
    const i = this.chart.at(event.clientX - byId("chart").getBoundingClientRect().left);
    const { series, place } = this;
    if (i === null || !series || !place || !byId("series-stop").hidden) return;
    const kind = Number.isNaN(series.values[i]) ? "" : `, ${KINDS[series.kinds[i]]}`;
    this.tell(`${utcText(series.hours[i])}, solar ${solarText(series.hours[i], place.longitude)}: ${valueText(series.values[i], unitOf(this.reader.facts.unit))}${kind}`);
  }

  private saveCsv(): void {
    const { series, place } = this;
    if (!series || !place) return;
    const { name, unit, attributes } = this.reader.facts;
    const cams = new Map(series.cams?.hours.map((hour, i) => [hour, series.cams!.values[i]]));
    const cellText = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? "" : String(value));
    const lines = series.hours.map((hour, i) => {
      const own = [`${hourKey(hour)}:00Z`, cellText(series.values[i]), KINDS[series.kinds[i]] ?? ""];
      return [...own, ...(series.cams ? [cellText(cams.get(hour))] : [])].join(",");
    });
    const head = [
      `# ${byId("series-title").textContent}`,
      `# units: ${unit}; time: UTC, instants; ${attributes.attribution ?? ""}`,
      ["time", name, "time_kind", ...(series.cams ? ["cams"] : [])].join(","),
    ];
    const file = `${name}_${place.latitude.toFixed(2)}_${wrapped(place.longitude).toFixed(2)}_${hourKey(series.hours[0])}.csv`;
    save(file, new Blob([[...head, ...lines].join("\n"), "\n"], { type: "text/csv" }));
  }
}

