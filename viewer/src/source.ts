// Hourly maps, or analyses, in a store: what they are, one map, and the series at one cell.
import * as zarr from "zarrita";
import type { Half } from "./blosc";
import { prepare } from "./helpers";
import { HttpStore, StoreError } from "./http";
import { chunksOf, mapOf, shardsOf, type Cut } from "./shard";

export const ANALYSIS = 0;
export const MISSING = 2;
export const HOUR = 3_600_000; // milliseconds
const DAY = 24;
const KEPT_BYTES = 256e6; // of days that are kept; one takes 100 MB at 0.25 degrees
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
  private readonly days = new Map<number, Promise<(Half | null)[]>>();

  private constructor(
    readonly facts: Facts,
    private readonly cells: Values,
    private readonly kindsArray: Values | null,
    private readonly cut: Cut,
    /** Where whole shards come from; null where maps are stored in another way. */
    private readonly shards: HttpStore | null,
  ) {}

  static async open(url: string, variable: string): Promise<Source> {
    const store = new HttpStore(url);
    const root = await opened(() => zarr.open.v3(store, { kind: "group" }), "its metadata cannot be understood");
    const array = (name: string) =>
      opened(() => zarr.open.v3(zarr.root(store).resolve(name), { kind: "array" }), `it has no array ${name}`) as Promise<Values>;
    const [maps, time, latitude, longitude] = await Promise.all(
      [variable, "time", "latitude", "longitude"].map((name) => array(name)),
    );
    const [hours, rows, columns] = await Promise.all([time, latitude, longitude].map(numbers));
    if (!TIME_UNITS.test(String(time.attrs.units)))
      throw new StoreError(`its time is in "${time.attrs.units}": wanted hours since 1970-01-01`);
    if (String(maps.shape) !== String([hours.length, rows.length, columns.length]))
      throw new StoreError(`${variable} is on ${maps.shape.join(" x ")}: wanted time, latitude and longitude`);
    const series = maps.chunks[0] > 1;
    if (series) prepare();
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
    const [deep, tall, wide] = maps.chunks;
    const shards = shardsOf(JSON.parse(new TextDecoder().decode(await store.get(`/${variable}/zarr.json`))), facts.grid);
    const cut: Cut = shards ?? { hours: deep, tall, wide, shape: [Math.ceil(rows.length / tall), Math.ceil(columns.length / wide)] };
    return new Source(facts, maps, kinds, cut, shards && store);
  }

  /** The map of hour number i. */
  async read(i: number): Promise<Float32Array> {
    const { rows, columns } = this.facts.grid;
    const [hours, tall, wide] = this.cells.chunks;
    if (hours === 1 && tall === rows && wide === columns) return (await this.cells.getChunk([i, 0, 0])).data as Float32Array;
    return mapOf(await this.together(Math.floor(i / hours)), i % hours, this.cut, this.facts.grid);
  }

  /** The chunks of the same hours: of a whole day in a store for series. The last ones are kept. */
  private together(number: number): Promise<(Half | null)[]> {
    let found = this.days.get(number);
    if (!found) {
      found = this.shards ? this.shards.file(`/${this.facts.name}/c/${number}/0/0`).then((shard) => chunksOf(shard, this.cut)) : this.chunks(number);
      found.catch(() => this.days.delete(number)); // told by whoever asked
      if (this.days.size >= this.most) this.days.delete(this.days.keys().next().value!);
      this.days.set(number, found);
    }
    return found;
  }

  /** How many days are kept. */
  private get most(): number {
    const { rows, columns } = this.facts.grid;
    return Math.max(1, Math.floor(KEPT_BYTES / (4 * this.cells.chunks[0] * rows * columns)));
  }

  private chunks(number: number): Promise<Half[]> {
    const [down, along] = this.cut.shape;
    const one = async (k: number) => {
      const { data } = await this.cells.getChunk([number, Math.floor(k / along), k % along]);
      const { buffer, byteOffset, byteLength } = data as Float32Array;
      return { bytes: new Uint8Array(buffer, byteOffset, byteLength), shuffled: false };
    };
    return Promise.all(Array.from({ length: down * along }, (_, k) => one(k)));
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
    return [number * size, Uint8Array.from(chunk.data as ArrayLike<number | bigint>, Number).subarray(0, count)];
  }

  /** How many hours the kinds of which are stored together. */
  get kindsTogether(): number {
    return this.kindsArray?.chunks[0] ?? (this.facts.hours.length || DAY);
  }
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
