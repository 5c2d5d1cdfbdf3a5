// Many frames of Blosc, as a day in a store for series has them, are opened on all cores.
import { Damaged, open, type Half } from "./blosc";

type Opener = (frames: Uint8Array[]) => Promise<Half[]>;

const MOST = 3; // helpers
const PIECE = 64; // frames that go together

let helpers: Opener[] = [];

/** Start the helpers; with one core, or where a worker can have none, there are none. */
export function prepare(): void {
  const cores = typeof Worker === "undefined" ? 1 : (navigator.hardwareConcurrency ?? 1);
  if (!helpers.length && cores > 1) helpers = Array.from({ length: Math.min(cores, MOST) }, helper);
}

function helper(): Opener {
  const worker = new Worker(new URL("unpacker.js", self.location.href), { type: "module" });
  const lost = new Promise<never>((_, failed) => (worker.onerror = () => failed(new Error("no such script"))));
  lost.catch(() => undefined); // told when it is needed
  let last: Promise<unknown> = Promise.resolve();
  return (frames) => {
    const answer = last.then(() => Promise.race([asked(worker, frames), lost])).catch((error) => {
      if (error instanceof Damaged) throw error;
      return frames.map(open); // a helper that cannot be had
    });
    last = answer.catch(() => undefined);
    return answer;
  };
}

function asked(worker: Worker, frames: Uint8Array[]): Promise<Half[]> {
  return new Promise((done, failed) => {
    worker.onmessage = ({ data }: MessageEvent<Half[] | string>) => (typeof data === "string" ? failed(new Damaged(data)) : done(data));
    const own = frames.map((one) => one.slice()); // of a view all that it looks at would be copied
    worker.postMessage(own, own.map((one) => one.buffer));
  });
}

/** Open frames, each helper the next piece when it has done one. */
export async function openAll(frames: Uint8Array[]): Promise<Half[]> {
  const found: Half[] = [];
  let next = 0;
  const work = async (opener: Opener) => {
    while (next < frames.length) {
      const first = next;
      next += PIECE;
      (await opener(frames.slice(first, first + PIECE))).forEach((half, i) => (found[first + i] = half));
    }
  };
  await Promise.all((helpers.length ? helpers : [async (piece: Uint8Array[]) => piece.map(open)]).map(work));
  return found;
}
