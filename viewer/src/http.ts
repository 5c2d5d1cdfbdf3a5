// A Zarr store on a web server, read by whole files and by ranges.
import type { AbsolutePath, RangeQuery } from "zarrita";

export class StoreError extends Error {}

interface Options {
  signal?: AbortSignal;
}

/** The files of a store. Its metadata are read once where they are consolidated. */
export class HttpStore {
  private metadata: Promise<Map<string, Uint8Array>> | null = null;

  constructor(readonly url: string) {}

  async get(key: AbsolutePath, options?: Options): Promise<Uint8Array | undefined> {
    if (!key.endsWith("zarr.json")) return this.fetch(key, {}, options);
    this.metadata ??= this.readMetadata();
    return (await this.metadata).get(key) ?? this.fetch(key, {}, options);
  }

  async getRange(key: AbsolutePath, range: RangeQuery, options?: Options): Promise<Uint8Array | undefined> {
    const text = "suffixLength" in range ? `-${range.suffixLength}` : `${range.offset}-${range.offset + range.length - 1}`;
    return this.fetch(key, { Range: `bytes=${text}` }, options);
  }

  /** All of a file; undefined if there is none. */
  file(key: string): Promise<Uint8Array | undefined> {
    return this.fetch(key, {});
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
