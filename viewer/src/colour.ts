// Colour scales, the same as in the package's pictures: logarithmic, classes of the WHO, differences.
import tables from "./colours.json";

/** How values become colours, and what stands beside the colour bar. */
export interface Scale {
  colours: Uint32Array; // as ImageData has them, little-endian ABGR
  css: string[];
  index: (value: number) => number;
  ticks: { at: number; label: string }[]; // 0 to 1 along the bar
  note: string;
}

export type ScaleName = "log" | "who";

const PARTICLES = ["pm1", "pm2p5", "pm10"];
const PARTICLE_LIMITS: [number, number] = [1, 500]; // µg m⁻³
const DECADES = 500; // ratio of the limits for other quantities
const MANY_TICKS = 10;
export const MISSING_COLOUR = tables.missing;

export function isMicrograms(unit: string): boolean {
  return /^[uµμ]g\s*(m-3|m\*\*-3|m\^-3|\/\s*m3|m⁻³)$/.test(unit.trim());
}

export function unitText(unit: string): string {
  return isMicrograms(unit) ? "µg m⁻³" : unit;
}

export function canBeClassed(name: string, unit: string): boolean {
  return name.toLowerCase() === "pm2p5" && isMicrograms(unit);
}

export function limitsOf(name: string, unit: string, peak: number): [number, number] {
  if (PARTICLES.includes(name.toLowerCase()) && isMicrograms(unit)) return PARTICLE_LIMITS;
  const top = roundUp(peak > 0 ? peak : 1);
  return [top / DECADES, top];
}

/** Values beyond the ends, zeros too, have the ends' colours. */
export function logScale([low, high]: [number, number]): Scale {
  const count = tables.log.length;
  const [bottom, factor] = [Math.log(low), count / Math.log(high / low)];
  const ticks = logTicks(low, high).map((value) => ({ at: Math.log(value / low) / Math.log(high / low), label: plain(value) }));
  const index = (value: number) => (value <= low ? 0 : Math.min(count - 1, Math.floor((Math.log(value) - bottom) * factor)));
  return scale(tables.log, index, ticks);
}

/** A value on an edge belongs to the class above it. */
export function whoScale(): Scale {
  const edges = tables.edges;
  const names = tables.names as Record<string, string>;
  const classes = edges.length + 1;
  const ticks = edges.map((edge, i) => ({ at: (i + 1) / classes, label: [plain(edge), names[plain(edge)]].filter(Boolean).join(" ") }));
  const index = (value: number) => {
    let k = 0;
    while (k < edges.length && value >= edges[k]) k++;
    return k;
  };
  return scale(tables.who, index, ticks, `${tables.note}, shown here for one hour.`);
}

/** Linear about zero: blue below, red above. */
export function differenceScale(end: number): Scale {
  const count = tables.difference.length;
  const ticks = [-1, -0.5, 0, 0.5, 1].map((part) => ({ at: (part + 1) / 2, label: signed(part * end) }));
  const index = (value: number) => Math.max(0, Math.min(count - 1, Math.floor(((value / end + 1) / 2) * count)));
  return scale(tables.difference, index, ticks);
}

/** Linear from low to high, in the colours of the logarithmic one. */
export function linearScale(low: number, high: number): Scale {
  const count = tables.log.length;
  const ticks = [0, 0.5, 1].map((at) => ({ at, label: plain(Number((low + at * (high - low)).toPrecision(3))) }));
  const index = (value: number) => Math.max(0, Math.min(count - 1, Math.floor(((value - low) / (high - low || 1)) * count)));
  return scale(tables.log, index, ticks);
}

function scale(css: string[], index: Scale["index"], ticks: Scale["ticks"], note = ""): Scale {
  return { colours: Uint32Array.from(css, packed), css, index, ticks, note };
}

const MISSING_PACKED = packed(MISSING_COLOUR);

function packed(css: string): number {
  const value = parseInt(css.slice(1), 16);
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

/** Paint values into pixels; NaN has the colour of what is missing. */
export function paint(values: Float32Array, pixels: Uint32Array, { colours, index }: Scale): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    pixels[i] = value === value ? colours[index(value)] : MISSING_PACKED;
  }
}

/** The next number of the form 1, 2 or 5 times a power of ten that is not smaller. */
export function roundUp(value: number): number {
  const decade = Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * 10 ** decade).find((top) => top >= value * (1 - 1e-9))!;
}

function logTicks(low: number, high: number): number[] {
  const found: number[] = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.log10(high); decade++)
    for (const step of [1, 2, 5]) found.push(Number(`${step}e${decade}`));
  const within = found.filter((one) => one >= low * (1 - 1e-9) && one <= high * (1 + 1e-9));
  const powers = within.filter((one) => Number.isInteger(Math.log10(one)));
  return within.length > MANY_TICKS ? powers : within;
}

/** A number for people, short. */
export function plain(value: number): string {
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5)) return String(Number(value.toPrecision(4)));
  return value.toExponential(1);
}

function signed(value: number): string {
  return value ? `${value > 0 ? "+" : "−"}${plain(Math.abs(value))}` : "0";
}
