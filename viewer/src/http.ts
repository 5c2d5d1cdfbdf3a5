// A Zarr store on a web server, read by whole files and by ranges.
import type { AbsolutePath, RangeQuery } from "zarrita";

export class StoreError extends Error {}

interface Options {
  signal?: AbortSignal;
}

const KEPT = 2; // whole files: a day of a store for series takes about 20 MB

/** The files of a store. Its metadata are read once where they are consolidated. */
export class HttpStore {
  /** Whether ranges are cut from whole files, each read once: for maps out of a store for series. */
  whole = false;
  private metadata: Promise<Map<string, Uint8Array>> | null = null;
  private files = new Map<string, Promise<Uint8Array | undefined>>();

  constructor(readonly url: string) {}

  async get(key: AbsolutePath, options?: Options): Promise<Uint8Array | undefined> {
    if (!key.endsWith("zarr.json")) return this.fetch(key, {}, options);
    this.metadata ??= this.readMetadata();
    return (await this.metadata).get(key) ?? this.fetch(key, {}, options);
  }

  async getRange(key: AbsolutePath, range: RangeQuery, options?: Options): Promise<Uint8Array | undefined> {
    if (this.whole) {
      const bytes = await this.file(key);
      if (!bytes) return undefined;
      return "suffixLength" in range
        ? bytes.subarray(-range.suffixLength)
        : bytes.subarray(range.offset, range.offset + range.length);
    }
    const text = "suffixLength" in range ? `-${range.suffixLength}` : `${range.offset}-${range.offset + range.length - 1}`;
    return this.fetch(key, { Range: `bytes=${text}` }, options);
  }

  private file(key: AbsolutePath): Promise<Uint8Array | undefined> {
    let found = this.files.get(key);
    if (!found) {
      found = this.fetch(key, {});
      found.catch(() => this.files.delete(key));
      this.files.set(key, found);
      if (this.files.size > KEPT) this.files.delete(this.files.keys().next().value!);
    }
    return found;
  }

  private async fetch(key: string, headers: Record<string, string>, options?: Options): Promise<Uint8Array | undefined> {
    const signal = options?.signal ?? null;
    let answer: Response;
    try {
      answer = await fetch(this.url + key.slice(1), { headers, signal, cache: "no-store", credentials: "same-origin" });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new StoreError("the server does not answer; is deepcams view still running?");
    }
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new StoreError(`${key.slice(1)} cannot be read (the server says ${answer.status})`);
    if (headers.Range && answer.status !== 206)
      throw new StoreError("this web server does not answer Range requests, which reading parts of a store needs");
    return new Uint8Array(await answer.arrayBuffer());
  }

  /** The metadata by key: of every array, if the root has them all. */
  private async readMetadata(): Promise<Map<string, Uint8Array>> {
    const bytes = await this.fetch("/zarr.json", {});
    if (!bytes) throw new StoreError("there is no Zarr store (version 3) here: no zarr.json");
    const encoder = new TextEncoder();
    let root: any;
    try {
      root = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      throw new StoreError("this store is broken: its zarr.json is no JSON");
    }
    const found = new Map<string, Uint8Array>([["/zarr.json", bytes]]);
    for (const [name, one] of Object.entries(root?.consolidated_metadata?.metadata ?? {}))
      found.set(`/${name}/zarr.json`, encoder.encode(JSON.stringify(one)));
    return found;
  }
}
