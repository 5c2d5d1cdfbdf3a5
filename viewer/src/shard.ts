// The hours of a day in a store for series: one shard over the whole grid, its chunks opened once, each hour taken when asked for.
import { Damaged, hourOf, type Half } from "./blosc";
import { openAll } from "./helpers";
import type { Grid } from "./source";

const ENTRY = 16; // bytes: where a chunk begins, and how long it is
const CHECK = 4; // bytes after the entries
const VALUE = 4; // bytes of a float32
const NOTHING = 2n ** 64n - 1n;
const KNOWN = "sharding_indexed,bytes,blosc,bytes,crc32c,little,end,default,/,float32";

/** How maps are cut into chunks. */
export interface Cut {
  hours: number; // of a chunk
  tall: number; // rows of a chunk
  wide: number;
  shape: [number, number]; // rows and columns of chunks
}

/** How the shards of an array are cut, by its metadata; null where they are no whole days in Blosc. */
export function shardsOf(metadata: any, grid: Grid): Cut | null {
  const [shard, ...others] = metadata.codecs ?? [];
  const { chunk_shape: inner, codecs, index_codecs: index, index_location: location = "end" } = shard?.configuration ?? {};
  const outer: number[] = metadata.chunk_grid?.configuration?.chunk_shape;
  const { name: keys, configuration: { separator = "/" } = {} } = metadata.chunk_key_encoding ?? {};
  const names = (list: any[] | undefined) => String(list?.map((one) => one.name));
  const found = [shard?.name, names(codecs), names(index), codecs?.[0].configuration?.endian, location, keys, separator, metadata.data_type];
  if (others.length || String(found) !== KNOWN || inner[0] === 1 || inner[0] !== outer[0]) return null;
  if (outer[1] < grid.rows || outer[2] < grid.columns || (inner[1] * inner[2]) % 8) return null;
  return { hours: inner[0], tall: inner[1], wide: inner[2], shape: [outer[1] / inner[1], outer[2] / inner[2]] };
}

/** The chunks of a shard, row by row; null where there is none. */
export async function chunksOf(shard: Uint8Array | undefined, { hours, tall, wide, shape }: Cut): Promise<(Half | null)[]> {
  const count = shape[0] * shape[1];
  const found = Array<Half | null>(count).fill(null);
  if (!shard) return found;
  const start = shard.length - CHECK - ENTRY * count;
  if (start < 0) throw new Damaged(`${shard.length} bytes are too few for ${count} chunks`);
  const view = new DataView(shard.buffer, shard.byteOffset + start, ENTRY * count);
  const there = [...found.keys()].filter((k) => view.getBigUint64(ENTRY * k, true) !== NOTHING);
  const frames = there.map((k) => {
    const [from, length] = [0, 8].map((at) => Number(view.getBigUint64(ENTRY * k + at, true)));
    return shard.subarray(from, from + length);
  });
  (await openAll(frames)).forEach((half, i) => {
    if (half.bytes.length !== VALUE * hours * tall * wide) throw new Damaged("a chunk has another length than it should");
    found[there[i]] = half;
  });
  return found;
}

/** The map of an hour, out of its chunks. */
export function mapOf(chunks: (Half | null)[], hour: number, { tall, wide, shape }: Cut, { rows, columns }: Grid): Float32Array {
  const map = new Float32Array(rows * columns).fill(NaN);
  chunks.forEach((chunk, k) => {
    const [top, left] = [Math.floor(k / shape[1]) * tall, (k % shape[1]) * wide];
    if (!chunk || top >= rows || left >= columns) return;
    const values = hourOf(chunk, hour, tall * wide);
    const broad = Math.min(wide, columns - left);
    for (let i = 0; i < Math.min(tall, rows - top); i++)
      map.set(values.subarray(i * wide, i * wide + broad), (top + i) * columns + left);
  });
  return map;
}
