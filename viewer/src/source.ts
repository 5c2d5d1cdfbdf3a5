// Hourly maps, or analyses, in a store: what they are, one map, and the series at one cell.
import * as zarr from "zarrita";
import { HttpStore, StoreError } from "./http";

export const ANALYSIS = 0;
export const MISSING = 2;
export const HOUR = 3_600_000; // milliseconds
const DAY = 24;
const TIME_UNITS = /^hours since 1970-01-01(?:[T ]00:00(?::00)?)?/;

export interface Grid {
  north: number; // degrees, of the first row
  west: number; // degrees, of the first column
  step: number; // degrees
  rows: number;
  columns: number;
}

/** What is known of a store once it is opened. */
export interface Facts {
  grid: Grid;
  hours: Float64Array; // since 1970-01-01 UTC
  name: string;
  unit: string;
  title: string;
  attributes: Record<string, unknown>;
  series: boolean; // whether it is stored for series
}

type Values = zarr.Array<zarr.DataType, HttpStore>;

export class Source {
  private constructor(
    readonly facts: Facts,
    private readonly maps: Values,
    private readonly cells: Values,
    private readonly kindsArray: Values | null,
  ) {}

  static async open(url: string, variable: string): Promise<Source> {
    const store = new HttpStore(url);
    const root = await opened(() => zarr.open.v3(store, { kind: "group" }), "its metadata cannot be understood");
    const array = (name: string, from: HttpStore = store) =>
      opened(() => zarr.open.v3(zarr.root(from).resolve(name), { kind: "array" }), `it has no array ${name}`) as Promise<Values>;
    const [maps, time, latitude, longitude] = await Promise.all(
      [variable, "time", "latitude", "longitude"].map((name) => array(name)),
    );
    const [hours, rows, columns] = await Promise.all([time, latitude, longitude].map(numbers));
    if (!TIME_UNITS.test(String(time.attrs.units)))
      throw new StoreError(`its time is in "${time.attrs.units}": wanted hours since 1970-01-01`);
    if (String(maps.shape) !== String([hours.length, rows.length, columns.length]))
      throw new StoreError(`${variable} is on ${maps.shape.join(" x ")}: wanted time, latitude and longitude`);
    const series = maps.chunks[0] > 1;
    const whole = new HttpStore(url);
    whole.whole = true;
    const facts: Facts = {
      grid: gridOf(rows, columns),
      hours,
      name: variable,
      unit: String(maps.attrs.units ?? ""),
      title: String(maps.attrs.long_name ?? variable),
      attributes: { ...root.attrs },
      series,
    };
    const kinds = await array("time_kind").catch(() => null);
    return new Source(facts, series ? await array(variable, whole) : maps, maps, kinds);
  }

  /** The maps that come together with number i (a day of them from a store for series), by number. */
  async read(i: number, signal?: AbortSignal): Promise<Map<number, Float32Array>> {
    const { rows, columns } = this.facts.grid;
    const size = rows * columns;
    const [hours, tall, wide] = this.maps.chunks;
    if (hours === 1 && tall === rows && wide === columns) {
      const chunk = await this.maps.getChunk([i, 0, 0], { signal });
      return new Map([[i, chunk.data as Float32Array]]);
    }
    const first = Math.floor(i / hours) * hours;
    const count = Math.min(hours, this.facts.hours.length - first);
    const maps = Array.from({ length: count }, () => new Float32Array(size));
    const place = async (down: number, along: number) => {
      const { data } = await this.maps.getChunk([first / hours, down, along], { signal });
      scatter(data as Float32Array, this.maps.chunks, maps, this.facts.grid, down * tall, along * wide);
    };
    for (let down = 0; down * tall < rows; down++)
      await Promise.all(Array.from({ length: Math.ceil(columns / wide) }, (_, along) => place(down, along)));
    return new Map(maps.map((map, k) => [first + k, map]));
  }

  /** The values at one cell from hour number `first` up to `last`, piece by piece. */
  async *cell(row: number, column: number, first: number, last: number, signal: AbortSignal): AsyncGenerator<[number, Float32Array]> {
    const [hours, tall, wide] = this.cells.chunks;
    const at = [Math.floor(row / tall), Math.floor(column / wide)];
    const inside = (row % tall) * wide + (column % wide);
    const together = this.facts.series ? 8 : 2; // requests under way at once
    const begin = Math.floor(first / hours);
    const end = Math.ceil(last / hours);
    const one = async (k: number): Promise<[number, Float32Array]> => {
      const chunk = await this.cells.getChunk([k, ...at], { signal });
      const data = chunk.data as Float32Array;
      const values = new Float32Array(Math.min(hours, this.facts.hours.length - k * hours));
      for (let j = 0; j < values.length; j++) values[j] = data[j * tall * wide + inside];
      return [k * hours, values];
    };
    for (let k = begin; k < end; k += together) {
      const batch = [];
      for (let j = k; j < Math.min(k + together, end); j++) batch.push(one(j));
      yield* await Promise.all(batch);
      signal.throwIfAborted();
    }
  }

  /** How the hours of the day around number i came about; all interpolated where a store does not say. */
  async kinds(i: number): Promise<[number, Uint8Array]> {
    const array = this.kindsArray;
    if (!array) return [0, new Uint8Array(this.facts.hours.length).fill(1)];
    const size = array.chunks[0];
    const number = Math.floor(i / size);
    const chunk = await array.getChunk([number]);
    const count = Math.min(size, this.facts.hours.length - number * size);
    return [number * size, Uint8Array.from((chunk.data as Int8Array).subarray(0, count))];
  }

  /** How many hours the kinds of which are stored together. */
  get kindsTogether(): number {
    return this.kindsArray?.chunks[0] ?? (this.facts.hours.length || DAY);
  }
}

/** Put a chunk into the maps of its hours, row by row; what is beyond the grid's edges is left out. */
function scatter(chunk: Float32Array, [, tall, wide]: number[], maps: Float32Array[], grid: Grid, top: number, left: number): void {
  const [deep, broad] = [Math.min(tall, grid.rows - top), Math.min(wide, grid.columns - left)];
  maps.forEach((map, k) => {
    for (let i = 0; i < deep; i++) {
      const from = (k * tall + i) * wide;
      const to = (top + i) * grid.columns + left;
      for (let j = 0; j < broad; j++) map[to + j] = chunk[from + j];
    }
  });
}

async function opened<T>(open: () => Promise<T>, what: string): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw error instanceof StoreError ? error : new StoreError(`this store cannot be drawn: ${what}`);
  }
}

async function numbers(array: Values): Promise<Float64Array> {
  const { data } = await zarr.get(array);
  return Float64Array.from(data as ArrayLike<number | bigint>, Number);
}

/** The grid of coordinates from north to south and from west to east. */
function gridOf(latitude: Float64Array, longitude: Float64Array): Grid {
  const [rows, columns] = [latitude.length, longitude.length];
  const step =
    columns > 1 ? (longitude[columns - 1] - longitude[0]) / (columns - 1) : (latitude[0] - latitude[rows - 1]) / (rows - 1);
  const [north, west] = [latitude[0], longitude[0]];
  const right = (found: Float64Array, wanted: (k: number) => number) => found.every((one, k) => Math.abs(one - wanted(k)) < step / 100);
  if (!(step > 0) || !right(latitude, (k) => north - k * step) || !right(longitude, (k) => west + k * step))
    throw new StoreError("its grid is not regular in latitude (north to south) and longitude");
  return { north, west, step, rows, columns };
}
