// The codec "blosc" of Zarr, for reading what is compressed with Zstandard.
//
// A frame is a header of 16 bytes, the places of its blocks, and the blocks, each in one piece or in as many as a value has
// bytes (https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst). It is read without WebAssembly: that is as
// quick, a tenth of the size, and the page needs no right to make code from text.
import { decompress } from "fzstd";

const HEADER = 16;
const SHUFFLED = 0x01;
const COPIED = 0x02;
const BIT_SHUFFLED = 0x04;
const UNDIVIDED = 0x10;
const COMPRESSORS = ["blosclz", "lz4", "snappy", "zlib", "zstd"];
const ZSTD = 4;
const MOST_PIECES = 16;
const SMALLEST_PIECE = 128; // bytes

export default class Blosc {
  static codecId = "blosc";
  kind = "bytes_to_bytes" as const;

  static fromConfig(): Blosc {
    return new Blosc();
  }

  encode(): never {
    throw new Error("this page only reads");
  }

  decode(bytes: Uint8Array): Uint8Array {
    return unpack(bytes);
  }
}

/** The bytes that a frame holds. */
export function unpack(frame: Uint8Array): Uint8Array {
  if (frame.length < HEADER) throw new Error("a frame of Blosc without a header");
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const [flags, width] = [frame[2], frame[3]];
  const [size, block, length] = [4, 8, 12].map((at) => view.getUint32(at, true));
  if (length > frame.length) throw new Error(`${frame.length} of ${length} bytes`);
  if (flags & COPIED) return frame.slice(HEADER, HEADER + size);
  if (flags >> 5 !== ZSTD) throw new Error(`compressed with ${COMPRESSORS[flags >> 5] ?? "something unknown"}, which this page does not read`);
  const out = new Uint8Array(size);
  const spare = flags & (SHUFFLED | BIT_SHUFFLED) ? new Uint8Array(Math.min(block, size)) : null;
  for (let start = 0, k = 0; start < size; start += block, k++) {
    const whole = out.subarray(start, Math.min(start + block, size));
    const target = spare ? spare.subarray(0, whole.length) : whole;
    const divided = !(flags & UNDIVIDED) && width <= MOST_PIECES && block / width >= SMALLEST_PIECE && whole.length === block;
    readBlock(frame, view, view.getInt32(HEADER + 4 * k, true), target, divided ? width : 1);
    if (flags & BIT_SHUFFLED) unshuffleBits(target, whole, width);
    else if (spare) unshuffle(target, whole, width);
  }
  return out;
}

/** One block, in `pieces` pieces, each with its length before it. */
function readBlock(frame: Uint8Array, view: DataView, at: number, target: Uint8Array, pieces: number): void {
  const size = target.length / pieces;
  for (let k = 0; k < pieces; k++) {
    const length = view.getInt32(at, true);
    const [piece, part] = [frame.subarray(at + 4, at + 4 + length), target.subarray(k * size, (k + 1) * size)];
    if (length < 0 || piece.length < length) throw new Error("a block of Blosc is cut off");
    if (length === size) part.set(piece);
    else {
      const found = decompress(piece); // handed a buffer, it is slower: it compares it with a number, by way of a text
      if (found.length !== size) throw new Error("a block of Blosc has another length than it says");
      part.set(found);
    }
    at += 4 + length;
  }
}

/** From all first bytes, all second bytes, ... to values of `width` bytes. */
function unshuffle(from: Uint8Array, to: Uint8Array, width: number): void {
  const count = Math.floor(from.length / width);
  for (let j = 0; j < width; j++) for (let i = 0; i < count; i++) to[i * width + j] = from[j * count + i];
  to.set(from.subarray(count * width), count * width);
}

/** From all first bits, all second bits, ... to values of `width` bytes, eight values at a time. */
function unshuffleBits(from: Uint8Array, to: Uint8Array, width: number): void {
  const count = Math.floor(from.length / width);
  if (count % 8) {
    to.set(from); // such blocks are not shuffled
    return;
  }
  const plane = count / 8;
  for (let j = 0; j < width; j++) {
    const p = 8 * j * plane;
    for (let g = 0; g < plane; g++) {
      // Rows are the planes of eight bits; their transposition (Warren, Hacker's Delight, 7-3) has a byte of each value.
      let x = (from[p + 7 * plane + g] << 24) | (from[p + 6 * plane + g] << 16) | (from[p + 5 * plane + g] << 8) | from[p + 4 * plane + g];
      let y = (from[p + 3 * plane + g] << 24) | (from[p + 2 * plane + g] << 16) | (from[p + plane + g] << 8) | from[p + g];
      if (!(x | y)) {
        for (let i = 0, at = 8 * g * width + j; i < 8; i++, at += width) to[at] = 0;
        continue;
      }
      let t = (x ^ (x >>> 7)) & 0x00aa00aa;
      x ^= t ^ (t << 7);
      t = (y ^ (y >>> 7)) & 0x00aa00aa;
      y ^= t ^ (t << 7);
      t = (x ^ (x >>> 14)) & 0x0000cccc;
      x ^= t ^ (t << 14);
      t = (y ^ (y >>> 14)) & 0x0000cccc;
      y ^= t ^ (t << 14);
      t = (x & 0xf0f0f0f0) | ((y >>> 4) & 0x0f0f0f0f);
      y = ((x << 4) & 0xf0f0f0f0) | (y & 0x0f0f0f0f);
      x = t;
      const at = 8 * g * width + j;
      to[at] = y;
      to[at + width] = y >>> 8;
      to[at + 2 * width] = y >>> 16;
      to[at + 3 * width] = y >>> 24;
      to[at + 4 * width] = x;
      to[at + 5 * width] = x >>> 8;
      to[at + 6 * width] = x >>> 16;
      to[at + 7 * width] = x >>> 24;
    }
  }
  to.set(from.subarray(count * width), count * width);
}
