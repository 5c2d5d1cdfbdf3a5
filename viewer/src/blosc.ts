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
const VALUE = 4; // bytes of a float32
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

export class Damaged extends Error {}

/** Bytes of a frame, the last step perhaps still to be done: the bits of values of four bytes are where they were put. */
export interface Half {
  bytes: Uint8Array;
  shuffled: boolean;
}

/** Open a frame as far as is needed to take some of its values; all of it where it has several blocks. */
export function open(frame: Uint8Array): Half {
  try {
    return isSimple(frame) ? { bytes: onlyPiece(frame), shuffled: true } : { bytes: unpack(frame), shuffled: false };
  } catch (error) {
    throw error instanceof Damaged ? error : new Damaged((error as Error).message);
  }
}

/** Whether a frame is a single block in one piece, with the bits of float32 shuffled: what a store for series has. */
function isSimple(frame: Uint8Array): boolean {
  if (frame.length < HEADER) return false;
  const [flags, width, view] = [frame[2], frame[3], viewOf(frame)];
  const [size, block] = [4, 8].map((at) => view.getUint32(at, true));
  const packed = flags >> 5 === ZSTD && !(flags & COPIED) && flags & UNDIVIDED && flags & BIT_SHUFFLED;
  return Boolean(packed) && width === VALUE && size > 0 && size <= block && size % (8 * VALUE) === 0;
}

function onlyPiece(frame: Uint8Array): Uint8Array {
  const view = viewOf(frame);
  return pieceOf(frame, view, view.getInt32(HEADER, true), view.getUint32(4, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Number `hour` of the equal parts, of `count` float32 values each (a multiple of eight), that an opened frame is made of. */
export function hourOf({ bytes, shuffled }: Half, hour: number, count: number): Float32Array {
  if (!shuffled) return new Float32Array(bytes.buffer, bytes.byteOffset + hour * count * VALUE, count);
  const found = new Float32Array(count);
  unshuffleBits(bytes, new Uint8Array(found.buffer), VALUE, hour * count);
  return found;
}

/** The bytes that a frame holds. */
export function unpack(frame: Uint8Array): Uint8Array {
  if (frame.length < HEADER) throw new Damaged("a frame of Blosc without a header");
  const view = viewOf(frame);
  const [flags, width] = [frame[2], frame[3]];
  const [size, block, length] = [4, 8, 12].map((at) => view.getUint32(at, true));
  if (length > frame.length) throw new Damaged(`${frame.length} of ${length} bytes`);
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

/** One block, in `pieces` pieces. */
function readBlock(frame: Uint8Array, view: DataView, at: number, target: Uint8Array, pieces: number): void {
  const size = target.length / pieces;
  for (let k = 0; k < pieces; k++) {
    target.set(pieceOf(frame, view, at, size), k * size);
    at += 4 + view.getInt32(at, true);
  }
}

/** A piece of so many bytes, with its length before it. */
function pieceOf(frame: Uint8Array, view: DataView, at: number, size: number): Uint8Array {
  const length = at + 4 <= frame.length ? view.getInt32(at, true) : -1;
  const piece = frame.subarray(at + 4, at + 4 + length);
  if (length < 0 || piece.length < length) throw new Damaged("a block of Blosc is cut off");
  if (length === size) return piece;
  const found = decompress(piece); // handed a buffer, it is slower: it compares it with a number, by way of a text
  if (found.length !== size) throw new Damaged("a block of Blosc has another length than it says");
  return found;
}

/** From all first bytes, all second bytes, ... to values of `width` bytes. */
function unshuffle(from: Uint8Array, to: Uint8Array, width: number): void {
  const count = Math.floor(from.length / width);
  for (let j = 0; j < width; j++) for (let i = 0; i < count; i++) to[i * width + j] = from[j * count + i];
  to.set(from.subarray(count * width), count * width);
}

/**
 * From all first bits, all second bits, ... to values of `width` bytes, eight at a time:
 * as many as there is room for, from one on, where zeros are. */
function unshuffleBits(from: Uint8Array, to: Uint8Array, width: number, first = 0): void {
  const count = Math.floor(from.length / width);
  if (count % 8) {
    to.set(from); // such blocks are not shuffled
    return;
  }
  const plane = count / 8;
  const [begin, end] = [first / 8, first / 8 + Math.floor(to.length / width) / 8];
  for (let j = 0; j < width; j++) {
    const p = 8 * j * plane;
    for (let g = begin; g < end; g++) {
      // Rows are the planes of eight bits; their transposition (Warren, Hacker's Delight, 7-3) has a byte of each value.
      let x = (from[p + 7 * plane + g] << 24) | (from[p + 6 * plane + g] << 16) | (from[p + 5 * plane + g] << 8) | from[p + 4 * plane + g];
      let y = (from[p + 3 * plane + g] << 24) | (from[p + 2 * plane + g] << 16) | (from[p + plane + g] << 8) | from[p + g];
      if (!(x | y)) {
        for (let i = 0, at = 8 * (g - begin) * width + j; i < 8; i++, at += width) to[at] = 0;
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
      const at = 8 * (g - begin) * width + j;
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
  if (count * width < from.length) to.set(from.subarray(count * width), count * width);
}
