// Stations on the map: coloured by what they measured in the hour, or by a score.
import { differenceScale, linearScale, type Scale } from "./colour";
import type { Dot } from "./map";
import { wrapped } from "./text";

/** What the server tells of them; by product and score, a value for every station. */
interface Told {
  name: string[];
  latitude: number[];
  longitude: number[];
  days: string[]; // with observations
  scores: Record<string, Record<string, (number | null)[]>>;
}

export interface Choice {
  value: string;
  label: string;
  group: string; // the product whose score it is; empty for what is no score
}

interface Day {
  station: number[];
  begin: number[]; // minutes of the day
  period: number[];
  values: Record<string, (number | null)[]>;
}

const SIGNED = new Set(["bias", "nmb", "fb", "intercept"]);
const KEPT = 8; // days
const NEAR = 6e-4; // degrees
export const HIDDEN = "-";
export const OBSERVED = "observed";

/** Product and score of a choice; null if it is none of a score. */
export function scoreOf(choice: string): [string, string] | null {
  const at = choice.lastIndexOf(":");
  return at < 0 ? null : [choice.slice(0, at), choice.slice(at + 1)];
}

export class Stations {
  private readonly days = new Map<string, Promise<Day | null>>();

  private constructor(
    readonly told: Told,
    private readonly base: URL,
  ) {}

  static async load(url: string): Promise<Stations> {
    const base = new URL(url, document.baseURI);
    const answer = await fetch(base, { cache: "no-store" });
    if (!answer.ok) throw new Error(`the stations cannot be read (the server says ${answer.status})`);
    return new Stations(await answer.json(), base);
  }

  /** What can be shown, as choices of a list. */
  get choices(): Choice[] {
    const { days, scores } = this.told;
    const found = Object.entries(scores).flatMap(([product, by]) =>
      Object.keys(by).map((score) => ({ value: `${product}:${score}`, label: `${score}, ${product}`, group: product })),
    );
    return [{ value: HIDDEN, label: "Hidden", group: "" }, ...(days.length ? [{ value: OBSERVED, label: "Observations", group: "" }] : []), ...found];
  }

  /** The scale of a score; null for observations, which have that of the map. */
  scaleOf(choice: string): Scale | null {
    const values = this.scores(choice)?.filter((one): one is number => one !== null).sort((a, b) => a - b);
    if (!values?.length) return null;
    const at = (share: number) => values[Math.round(share * (values.length - 1))];
    if (SIGNED.has(scoreOf(choice)![1])) return differenceScale(Number(Math.max(Math.abs(at(0.05)), Math.abs(at(0.95)), 1e-6).toPrecision(2)));
    return linearScale(at(0.05), at(0.95));
  }

  private scores(choice: string): (number | null)[] | null {
    const [product, score] = scoreOf(choice) ?? [];
    return product === undefined ? null : (this.told.scores[product]?.[score!] ?? null);
  }

  /** The value of every station in an hour (NaN where there is none). */
  async values(choice: string, hour: number): Promise<Float64Array> {
    const found = new Float64Array(this.told.name.length).fill(NaN);
    const scores = this.scores(choice);
    if (scores) return found.map((_, i) => scores[i] ?? NaN);
    const day = choice === OBSERVED ? await this.day(new Date(Math.floor(hour / 24) * 86_400_000).toISOString().slice(0, 10)) : null;
    const minute = (((hour % 24) + 24) % 24) * 60;
    day?.station.forEach((station, i) => {
      if (day.begin[i] <= minute && minute < day.begin[i] + day.period[i]) found[station] = day.values.observed[i] ?? NaN;
    });
    return found;
  }

  place(station: number): { latitude: number; longitude: number } {
    return { latitude: this.told.latitude[station], longitude: this.told.longitude[station] };
  }

  /** The station at a place, as exactly as links say it; null if there is none. */
  at(latitude: number, longitude: number): number | null {
    const near = (a: number, b: number) => Math.abs(wrapped(a - b)) < NEAR;
    const found = this.told.name.findIndex((_, i) => near(this.told.latitude[i], latitude) && near(this.told.longitude[i], longitude));
    return found < 0 ? null : found;
  }

  /** What a station measured from one hour to another: middles of the periods, and values. */
  async series(station: number, first: number, last: number): Promise<{ hours: number[]; values: number[] }> {
    const found: { hours: number[]; values: number[] } = { hours: [], values: [] };
    for (let start = Math.floor(first / 24); start <= Math.floor(last / 24); start++) {
      const day = await this.day(new Date(start * 86_400_000).toISOString().slice(0, 10));
      day?.station.forEach((one, i) => {
        const hour = start * 24 + (day.begin[i] + day.period[i] / 2) / 60;
        const value = day.values.observed[i];
        if (one === station && day.begin[i] >= 0 && value !== null && hour >= first && hour <= last) {
          found.hours.push(hour);
          found.values.push(value);
        }
      });
    }
    return found;
  }

  private day(date: string): Promise<Day | null> {
    if (!this.told.days.includes(date)) return Promise.resolve(null);
    let day = this.days.get(date);
    if (!day) {
      day = fetch(new URL(`stations/${date}.json`, this.base), { cache: "no-store" }).then((answer) => (answer.ok ? answer.json() : null));
      this.days.set(date, day);
      if (this.days.size > KEPT) this.days.delete(this.days.keys().next().value!);
    }
    return day;
  }

  dots(values: Float64Array, scale: Scale): Dot[] {
    const { latitude, longitude } = this.told;
    const shown = [...values.keys()].filter((i) => !Number.isNaN(values[i]));
    return shown.map((i) => ({ latitude: latitude[i], longitude: longitude[i], colour: scale.css[scale.index(values[i])] }));
  }
}
