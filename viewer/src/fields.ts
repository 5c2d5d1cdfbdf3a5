// What the panels show in an hour: the map, CAMS at the same time, the difference.
import { differenceScale, limitsOf, logScale, whoScale, type Scale } from "./colour";
import { difference } from "./grid";
import { Picture } from "./map";
import type { Reader } from "./reader";
import { MISSING } from "./source";
import type { State } from "./state";
import { utcText } from "./text";

const LONGEST = 6; // hours between analyses that a line is drawn over

export interface Coarse {
  values: Float32Array;
  note: string;
}

/** CAMS at an hour: an analysis, or linear between two of them; null where there is none. */
export async function camsAt(cams: Reader, hour: number): Promise<Coarse | null> {
  const { hours } = cams.facts;
  let after = hours.findIndex((one) => one >= hour);
  if (after >= 0 && hours[after] === hour) return { values: await cams.map(after), note: `analysis of ${utcText(hour)}` };
  if (after <= 0 || hours[after] - hours[after - 1] > LONGEST) return null;
  const share = (hour - hours[after - 1]) / (hours[after] - hours[after - 1]);
  const [a, b] = [await cams.map(after - 1), await cams.map(after)];
  const values = a.map((value, i) => (1 - share) * value + share * b[i]);
  return { values, note: `linear between the analyses of ${utcText(hours[after - 1])} and ${utcText(hours[after])}` };
}

export interface Shown {
  number: number; // of the hour on the store's axis
  hour: number; // since 1970-01-01 UTC
  missing: boolean;
  fine: Float32Array | null;
  coarse: Coarse | null;
  difference: Float32Array | null;
  observed: Float64Array | null;
}

export class Fields {
  readonly fine: Picture;
  readonly coarse: Picture | null;
  private limits: [number, number] | null = null;

  constructor(
    readonly reader: Reader,
    readonly cams: Reader | null,
  ) {
    this.fine = new Picture(reader.facts.grid);
    this.coarse = cams && new Picture(cams.facts.grid);
  }

  /** Read all that a mode needs of an hour. */
  async load(number: number, mode: State["mode"]): Promise<Shown> {
    const { reader, cams } = this;
    const hour = reader.facts.hours[number];
    await reader.learn(number);
    const missing = reader.kinds[number] === MISSING;
    const coarse = cams && mode !== "map" ? await camsAt(cams, hour) : null;
    const fine = missing || mode === "cams" ? null : await reader.map(number);
    const both = mode === "difference" && fine && coarse && cams;
    const less = both ? difference(fine, reader.facts.grid, coarse.values, cams.facts.grid) : null;
    return { number, hour, missing, fine, coarse, difference: less, observed: null };
  }

  scale({ mode, scale, end }: State, shown: Shown | null): Scale {
    if (mode === "difference") return differenceScale(end);
    return this.mapScale(scale, shown);
  }

  mapScale(name: State["scale"], shown: Shown | null): Scale {
    if (name === "who") return whoScale();
    const { facts } = this.reader;
    const values = shown?.fine ?? shown?.coarse?.values;
    if (!this.limits && values) this.limits = limitsOf(facts.name, facts.unit, peakOf(values));
    return logScale(this.limits ?? limitsOf(facts.name, facts.unit, 1));
  }

  paint(state: State, shown: Shown): void {
    const scale = this.scale(state, shown);
    const fine = state.mode === "difference" ? shown.difference : shown.fine;
    if (fine) this.fine.show(fine, scale);
    if (shown.coarse && this.coarse && state.mode !== "difference") this.coarse.show(shown.coarse.values, scale);
  }
}

function peakOf(values: Float32Array): number {
  let peak = 0;
  for (const value of values) if (value > peak) peak = value;
  return peak;
}
