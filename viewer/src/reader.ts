// A store as the page sees it: maps that are kept and fetched ahead, kinds of hours, series.
import type { Answer, Opened, Question, Request } from "./messages";
import { MISSING, type Facts } from "./source";

const KEPT_BYTES = 192e6;
const TOGETHER = 2; // maps under way at once

export class Stopped extends Error {}

interface Waiting {
  done: (value: any) => void;
  failed: (error: Error) => void;
  part?: (value: any) => void;
}

/** The worker, asked and answering. */
export class Worklist {
  private readonly worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => this.take(data);
    this.worker.onerror = () => {
      for (const one of this.waiting.values()) one.failed(new Error("the script that reads the store cannot be started"));
    };
  }

  ask<T>(question: Question, part?: (value: any) => void): { answer: Promise<T>; stop: () => void } {
    const id = this.count++;
    const answer = new Promise<T>((done, failed) => this.waiting.set(id, { done, failed, part }));
    this.worker.postMessage({ id, question } satisfies Request);
    return { answer, stop: () => this.worker.postMessage({ id, stop: true } satisfies Request) };
  }

  private take(answer: Answer): void {
    const one = this.waiting.get(answer.id);
    if (!one) return;
    if ("part" in answer) return one.part?.(answer.part);
    this.waiting.delete(answer.id);
    if ("failed" in answer) one.failed(answer.stopped ? new Stopped() : new Error(answer.failed));
    else one.done(answer.done);
  }
}

export class Reader {
  readonly facts: Facts;
  /** How each hour came about; 255 where that is not known yet. */
  readonly kinds: Uint8Array;
  private readonly maps = new Map<number, Float32Array>();
  private readonly coming = new Map<number, Promise<void>>();
  private readonly most: number;
  private ahead: number[] = [];
  private busy = 0;

  private constructor(
    private readonly list: Worklist,
    private readonly opened: Opened,
  ) {
    this.facts = opened.facts;
    this.kinds = new Uint8Array(this.facts.hours.length).fill(255);
    const bytes = 4 * this.facts.grid.rows * this.facts.grid.columns;
    this.most = Math.max(8, Math.floor(KEPT_BYTES / bytes) / (this.facts.series ? 4 : 1)); // the worker keeps whole days of series
  }

  static async open(list: Worklist, url: string, variable: string): Promise<Reader> {
    return new Reader(list, await list.ask<Opened>({ kind: "open", url: new URL(url, document.baseURI).href, variable }).answer);
  }

  /** A map that is there already. */
  kept(i: number): Float32Array | undefined {
    return this.maps.get(i);
  }

  /** A map, read now if need be, before all that is only fetched ahead. */
  async map(i: number): Promise<Float32Array> {
    if (!this.maps.has(i)) await this.read(i);
    const found = this.maps.get(i)!;
    this.maps.delete(i);
    this.maps.set(i, found); // looked at last, given up last
    return found;
  }

  /** Fetch maps ahead, the first ones first; what was asked before and is not under way is forgotten. */
  prefetch(numbers: number[]): void {
    this.ahead = numbers.filter((i) => i >= 0 && i < this.kinds.length && this.kinds[i] !== MISSING);
    this.next();
  }

  private next(): void {
    while (this.busy < TOGETHER && this.ahead.length) {
      const i = this.ahead.shift()!;
      if (!this.maps.has(i) && !this.coming.has(i)) this.read(i).catch(() => undefined); // told when it is looked at
    }
  }

  private read(i: number): Promise<void> {
    let coming = this.coming.get(i);
    if (!coming) {
      this.busy++;
      coming = this.list
        .ask<Float32Array>({ kind: "map", source: this.opened.source, hour: i })
        .answer.then((map) => this.keep(i, map))
        .finally(() => {
          this.busy--;
          this.coming.delete(i);
          this.next();
        });
      this.coming.set(i, coming);
    }
    return coming;
  }

  private keep(i: number, map: Float32Array): void {
    this.maps.set(i, map);
    for (const old of this.maps.keys()) {
      if (this.maps.size <= this.most) break;
      this.maps.delete(old);
    }
  }

  /** Learn how the hours around number i came about. */
  async learn(i: number): Promise<void> {
    if (this.kinds[i] !== 255) return;
    const [first, kinds] = await this.list.ask<[number, Uint8Array]>({ kind: "kinds", source: this.opened.source, hour: i }).answer;
    this.kinds.set(kinds, first);
  }

  /** Learn all of them: from a file beside the page, or day by day. */
  async learnAll(url: string | null, progress: () => void): Promise<void> {
    if (url) {
      const answer = await fetch(new URL(url, document.baseURI), { cache: "no-store" }).catch(() => null);
      const bytes = answer?.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
      if (bytes?.length === this.kinds.length) {
        this.kinds.set(bytes);
        return progress();
      }
    }
    for (let i = 0; i < this.kinds.length; i += this.opened.kindsTogether) {
      await this.learn(i);
      if (i % (50 * this.opened.kindsTogether) === 0) progress();
    }
    progress();
  }

  /** The series at a cell, in parts; `stop` ends it early. */
  cell(row: number, column: number, first: number, last: number, part: (first: number, values: Float32Array) => void) {
    const question: Question = { kind: "cell", source: this.opened.source, row, column, first, last };
    return this.list.ask<null>(question, ([start, values]: [number, Float32Array]) => part(start, values));
  }
}
