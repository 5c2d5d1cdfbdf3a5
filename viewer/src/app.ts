// The page at work: what is looked at, what has been read of it, and what is drawn.
import { canBeClassed, unitText, type Scale } from "./colour";
import { describe } from "./describe";
import { byId, setText, tell } from "./dom";
import { Fields, type Shown } from "./fields";
import { isPeriodic } from "./grid";
import { drawLegend } from "./legend";
import { Coastlines, MapDrawer, placeAt, toX, toY, within, type Box, type Dot, type Panel } from "./map";
import { framed } from "./picture";
import { PointPanel } from "./point";
import type { Reader } from "./reader";
import { ANALYSIS, MISSING } from "./source";
import { clamp, fromHash, initial, toHash, type State } from "./state";
import { scoreOf, type Stations } from "./stations";
import { browserText, solarText, utcText, wrapped } from "./text";

const AHEAD = [1, 2, 3, -1]; // hours fetched ahead
const AHEAD_PLAYING = [1, 2, 3, 4, 5, 6];
const PACE = 350; // milliseconds an hour when playing
const CALM_PACE = 1000;
const REACH = 10; // pixels within which a dot, or the edge of a swipe, is meant
const DETAILED = 90; // degrees across below which the fine coastlines are drawn
const FLAT = 1.6; // of width to height, below which the whole Earth would leave much of a map empty
const NARROW = 1.1; // of width to height, below which two maps stand one above the other

export class App {
  state: State = initial();
  shown: Shown | null = null;
  private readonly drawer = new MapDrawer(byId<HTMLCanvasElement>("map"));
  private readonly fields: Fields;
  readonly point: PointPanel;
  private dots: Dot[] = [];
  mark: { latitude: number; longitude: number } | null = null;
  private untouched = true; // the view is the first one, made to measure
  private wanted = -1;
  private loading: Promise<void> | null = null;
  private frame = 0;
  private playing = 0;
  private hashTimer = 0;
  private pointer: { x: number; y: number } | null = null;
  private readonly coasts = new Map<string, Coastlines>();

  constructor(
    readonly reader: Reader,
    readonly cams: Reader | null,
    readonly stations: Stations | null,
    readonly name: string,
  ) {
    this.fields = new Fields(reader, cams);
    this.point = new PointPanel(reader, cams, stations, () => this.state.hour, (number) => this.go(number));
  }

  get number(): number {
    return this.wanted;
  }

  get canvas(): HTMLCanvasElement {
    return this.drawer.canvas;
  }

  /** Take over what a link says, and show it. */
  async follow(hash: string): Promise<void> {
    const state = fromHash(hash);
    const { hours, name, unit } = this.reader.facts;
    if (!this.cams) state.mode = "map";
    if (!canBeClassed(name, unit)) state.scale = "log";
    this.untouched = !/(^|[#&])v=/.test(hash);
    const asked = hours.indexOf(state.hour);
    const first = asked >= 0 ? asked : await this.firstWithMap();
    state.hour = hours[first];
    if (this.stations && !this.stations.choices.some((one) => one.value === state.dots)) state.dots = this.stations.choices[1].value;
    this.state = state;
    this.mark = state.point;
    this.resize();
    await this.go(first);
    if (state.point) void this.point.open(state.point.latitude, state.point.longitude);
    else this.point.close();
  }

  /** The first hour with a map; the first of all if there is none. */
  private async firstWithMap(): Promise<number> {
    await this.reader.learn(0);
    const near = this.reader.kinds.findIndex((kind) => kind !== MISSING);
    if (near >= 0 && this.reader.kinds[near] !== 255) return near;
    await this.reader.learnAll("kinds.bin", () => undefined);
    return Math.max(0, this.reader.kinds.findIndex((kind) => kind !== MISSING));
  }

  /** All there is; of the whole Earth at first only as much as leaves no wide bands empty above and below it. */
  private overview(fill: boolean): State["view"] {
    const { grid } = this.reader.facts;
    const { north, west, step, rows, columns } = grid;
    const [{ width, height }] = this.boxes();
    const shape = width / Math.max(1, height);
    if (isPeriodic(grid)) return { ...initial().view, span: fill && shape < FLAT ? 180 * shape : 360 };
    const [tall, wide] = [rows * step, columns * step];
    return {
      latitude: north - ((rows - 1) * step) / 2,
      longitude: wrapped(west + ((columns - 1) * step) / 2),
      span: Math.max(wide, tall * shape) * 1.08,
    };
  }

  /** Go to an hour by its number; of several asked for quickly, the last one is read. */
  async go(number: number): Promise<void> {
    this.wanted = clamp(number, 0, this.reader.kinds.length - 1);
    this.state.hour = this.reader.facts.hours[this.wanted];
    this.tellTime();
    this.loading ??= this.loadWanted().finally(() => (this.loading = null));
    await this.loading;
  }

  private async loadWanted(): Promise<void> {
    for (;;) {
      const [number, mode, dots] = [this.wanted, this.state.mode, this.state.dots];
      byId("stage").setAttribute("aria-busy", "true");
      let shown: Shown | null = null;
      let trouble = "";
      try {
        shown = await this.fields.load(number, mode);
        if (this.stations && dots) shown.observed = await this.stations.values(dots, shown.hour);
      } catch (error) {
        trouble = `${utcText(this.reader.facts.hours[number])} cannot be shown: ${(error as Error).message}`;
      }
      this.take(shown, number, trouble);
      if (number === this.wanted && mode === this.state.mode && dots === this.state.dots) break;
    }
    byId("stage").setAttribute("aria-busy", "false");
    const ahead = this.playing ? AHEAD_PLAYING : AHEAD;
    this.reader.prefetch(ahead.map((k) => this.wanted + k));
  }

  private take(shown: Shown | null, number: number, trouble: string): void {
    this.shown = shown ?? { number, hour: this.reader.facts.hours[number], missing: true, fine: null, coarse: null, difference: null, observed: null };
    this.repaint();
    tell("empty", trouble || this.emptiness(this.shown));
    this.tellTime();
    if (this.pointer) this.read(this.pointer);
    else if (this.mark && byId("readout").textContent) setText("readout", this.describeMark());
    byId("stage").dataset.hour = String(number);
    this.point.redraw();
    this.remember();
  }

  /** Why there is nothing to see; empty if there is something. */
  private emptiness({ hour, missing, fine, coarse }: Shown): string {
    const { mode } = this.state;
    if (missing && mode !== "cams" && !(coarse && mode !== "difference")) return `${utcText(hour)} was not made: it is missing from this store`;
    if (mode === "cams" && !coarse) return `CAMS has no analyses around ${utcText(hour)}`;
    if (mode === "difference" && !coarse) return `CAMS has no analyses around ${utcText(hour)}: nothing to compare with`;
    return fine?.every(Number.isNaN) ? `${utcText(hour)} has no values: all are missing` : "";
  }

  /** Colour everything anew. */
  repaint(): void {
    if (!this.shown) return;
    this.fields.paint(this.state, this.shown);
    this.drawLegends();
    this.colourDots();
    this.redraw();
  }

  private drawLegends(): void {
    const { unit, name, title } = this.reader.facts;
    const scale = this.fields.scale(this.state, this.shown);
    const what = name === "pm2p5" ? "PM2.5" : title;
    const text = `${what}${this.state.mode === "difference" ? ", DeepCAMS less the CAMS cell" : ""} (${unitText(unit)})`;
    setText("legend-title", text);
    drawLegend(byId<SVGSVGElement>("legend"), scale);
    setText("note", [scale.note, this.shown?.coarse ? `CAMS: ${this.shown.coarse.note}.` : ""].filter(Boolean).join(" "));
  }

  private colourDots(): void {
    const own = this.stations?.scaleOf(this.state.dots) ?? null;
    const scale: Scale = own ?? this.fields.mapScale(this.state.scale, this.shown);
    const values = this.shown?.observed;
    this.dots = this.stations && values ? this.stations.dots(values, scale) : [];
    byId("dots-figure").hidden = !own;
    if (own) {
      const [product, score] = scoreOf(this.state.dots)!;
      setText("dots-title", `Stations: ${score} of ${product}`);
      drawLegend(byId<SVGSVGElement>("dots-legend"), own);
    }
  }

  resize(): void {
    this.drawer.resize();
    if (this.untouched) this.state.view = this.overview(true);
    this.state.view = within(this.state.view, this.boxes()[0]);
    if (this.shown) this.drawLegends();
    this.redraw();
  }

  /** Draw at the next frame. */
  redraw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawer.draw(this.panels(), this.state.view, this.dots, this.mark);
    });
    void this.fetchCoast(this.state.view.span < DETAILED ? "50m" : "110m");
  }

  private async fetchCoast(scale: string): Promise<void> {
    const found = this.coasts.get(scale);
    if (found) this.drawer.coast = found;
    else if (!this.coasts.size || scale === "50m") {
      this.coasts.set(scale, this.drawer.coast!); // asked for once
      const loaded = await Coastlines.load(scale).catch(() => null);
      if (!loaded) return;
      this.coasts.set(scale, loaded);
      this.redraw();
    }
  }

  /** Where the panels are: one, or two side by side, or one above the other where that gives more room. */
  boxes(): Box[] {
    const { width, height } = this.drawer;
    if (this.state.mode !== "side") return [{ x: 0, y: 0, width, height }];
    const [wide, tall] = width > height * NARROW ? [(width - 4) / 2, height] : [width, (height - 4) / 2];
    return [0, 1].map((k) => ({ x: wide < width ? k * (wide + 4) : 0, y: tall < height ? k * (tall + 4) : 0, width: wide, height: tall }));
  }

  private panels(): Panel[] {
    const { mode, swipe } = this.state;
    const boxes = this.boxes();
    const [box] = boxes;
    const names = [`CAMS ${this.cams?.facts.grid.step ?? ""}°`, `DeepCAMS ${this.reader.facts.grid.step}°`];
    const coarse = this.shown?.coarse ? this.fields.coarse : null;
    const fine = (mode === "difference" ? this.shown?.difference : this.shown?.fine) ? this.fields.fine : null;
    if (mode === "cams") return [{ picture: coarse, label: names[0], box, clip: box }];
    if (mode === "side") return [coarse, fine].map((picture, k) => ({ picture, label: names[k], box: boxes[k], clip: boxes[k] }));
    if (mode === "swipe") {
      const edge = Math.round(swipe * box.width);
      const clips = [{ ...box, width: edge }, { ...box, x: edge + 2, width: box.width - edge - 2 }];
      return [coarse, fine].map((picture, k) => ({ picture, label: names[k], box, clip: clips[k] }));
    }
    return [{ picture: fine, label: mode === "difference" ? "DeepCAMS − CAMS" : "", box, clip: box }];
  }

  /** The panel that a pixel is in. */
  boxAt(x: number, y: number): Box {
    const boxes = this.boxes();
    return boxes.find((one) => x < one.x + one.width + 2 && y < one.y + one.height + 2) ?? boxes[0];
  }

  pan(dx: number, dy: number): void {
    const [box] = this.boxes();
    const k = this.state.view.span / box.width;
    const { latitude, longitude, span } = this.state.view;
    this.look({ latitude: latitude + dy * k, longitude: longitude - dx * k, span });
  }

  /** Zoom by a factor and keep the place at a pixel where it is; by default the middle. */
  zoom(factor: number, x?: number, y?: number): void {
    const box = this.boxAt(x ?? 0, y ?? 0);
    const [px, py] = [x ?? box.x + box.width / 2, y ?? box.y + box.height / 2];
    const { latitude, longitude, span } = this.state.view;
    const next = within({ latitude, longitude, span: span / factor }, box).span;
    const [dx, dy] = [px - box.x - box.width / 2, py - box.y - box.height / 2];
    const change = (span - next) / box.width;
    this.look({ span: next, longitude: longitude + dx * change, latitude: latitude - dy * change });
  }

  look(view: State["view"]): void {
    this.untouched = false;
    this.state.view = within(view, this.boxes()[0]);
    this.redraw();
    this.remember();
  }

  whole(): void {
    this.look(this.overview(false));
  }

  /** Tell the value at a pixel, now and when the hour changes; nothing outside the Earth, or without a pixel. */
  read(pointer: { x: number; y: number } | null): void {
    this.pointer = pointer;
    const { x, y } = pointer ?? { x: 0, y: 0 };
    const place = pointer && placeAt(this.boxAt(x, y), this.state.view, x, y);
    setText("readout", place ? describe(this, place.latitude, place.longitude, this.stationAt(x, y)) : "");
  }

  /** What is at the mark; nothing without one. */
  describeMark(): string {
    return this.mark ? describe(this, this.mark.latitude, this.mark.longitude, this.markedStation()) : "";
  }

  /** The station whose dot the mark is on. */
  markedStation(): number | null {
    if (!this.mark) return null;
    const [[box], { view }] = [this.boxes(), this.state];
    const around = view.longitude + wrapped(this.mark.longitude - view.longitude);
    return this.stationAt(toX(box, view, around), toY(box, view, this.mark.latitude));
  }

  /** The station whose dot is at a pixel; null if there is none. */
  stationAt(x: number, y: number): number | null {
    const values = this.shown?.observed;
    if (!this.stations || !values) return null;
    const [box, { view }] = [this.boxAt(x, y), this.state];
    const { latitude, longitude } = this.stations.told;
    let [best, nearest] = [-1, REACH];
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i])) continue;
      const around = view.longitude + wrapped(longitude[i] - view.longitude);
      const distance = Math.hypot(toX(box, view, around) - x, toY(box, view, latitude[i]) - y);
      if (distance < nearest) [best, nearest] = [i, distance];
    }
    return best < 0 ? null : best;
  }

  /** Whether a pixel is on the edge of a swipe. */
  onEdge(x: number): boolean {
    return this.state.mode === "swipe" && Math.abs(x - this.state.swipe * this.drawer.width) < REACH;
  }

  setMark(place: { latitude: number; longitude: number } | null): void {
    this.mark = place;
    this.redraw();
  }

  select(place: { latitude: number; longitude: number } | null): void {
    this.untouched = false; // what was pointed at stays where it is
    this.state.point = place && { latitude: place.latitude, longitude: wrapped(place.longitude) };
    this.mark = this.state.point;
    if (this.state.point) void this.point.open(this.state.point.latitude, this.state.point.longitude);
    else this.point.close();
    this.resize();
    if (this.state.point) this.bringIn(this.state.point.latitude);
    this.remember();
  }

  /** Keep a latitude in sight, on a map that the series leaves less room, and the series on the screen. */
  private bringIn(latitude: number): void {
    const [{ width, height }] = this.boxes();
    const { view } = this.state;
    const most = (0.4 * height * view.span) / width; // degrees from the middle
    this.look({ ...view, latitude: clamp(view.latitude, latitude - most, latitude + most) });
    byId("series").scrollIntoView({ block: "nearest" });
  }

  private tellTime(): void {
    const { hour } = this.state;
    const kind = this.reader.kinds[this.wanted];
    const text = utcText(hour);
    setText("utc", text);
    setText("kind", kind === ANALYSIS ? "analysis" : kind === MISSING ? "missing" : kind === 255 ? "" : "interpolated");
    setText("zone", `${browserText(hour)} here; ${solarText(hour, wrapped(this.state.view.longitude))} mean solar time in the middle of the map`);
    const slider = byId<HTMLInputElement>("hour");
    slider.value = String(this.wanted);
    slider.setAttribute("aria-valuetext", `${text}, ${byId("kind").textContent}`);
    byId<HTMLInputElement>("date").value = new Date(hour * 3_600_000).toISOString().slice(0, 16);
  }

  /** Go to the next hour that has a map, one way or the other. */
  step(count: number): Promise<void> {
    let next = this.wanted + count;
    const { kinds } = this.reader;
    if (Math.abs(count) === 1) while (kinds[next] === MISSING) next += count;
    return this.go(next >= 0 && next < kinds.length ? next : this.wanted + count);
  }

  play(on: boolean): void {
    clearTimeout(this.playing);
    this.playing = 0;
    const button = byId("play");
    button.setAttribute("aria-pressed", String(on));
    button.setAttribute("aria-label", on ? "Pause" : "Play");
    button.textContent = on ? "❚❚ Pause" : "▶ Play";
    if (on) this.tick();
  }

  get isPlaying(): boolean {
    return this.playing > 0;
  }

  private tick(): void {
    const pace = matchMedia("(prefers-reduced-motion: reduce)").matches ? CALM_PACE : PACE;
    this.playing = window.setTimeout(async () => {
      const last = this.reader.kinds.length - 1;
      const before = this.wanted;
      await this.step(1);
      if (this.wanted === before || this.wanted >= last) await this.go(await this.firstWithMap());
      if (this.playing) this.tick();
    }, pace);
  }

  /** Keep the address of the page up to date with what it shows. */
  remember(): void {
    clearTimeout(this.hashTimer);
    this.hashTimer = window.setTimeout(() => history.replaceState(null, "", toHash(this.state)), 100);
  }

  /** What is seen, as a picture. */
  async picture(): Promise<Blob> {
    this.drawer.draw(this.panels(), this.state.view, this.dots, this.mark);
    return framed(this.canvas, this.drawer.width, this.drawer.height, this.fields.scale(this.state, this.shown), {
      head: `${byId("legend-title").textContent}, ${utcText(this.state.hour)}, ${byId("kind").textContent}`,
      foot: `${this.name}. ${byId("attribution").textContent}`,
    });
  }
}
