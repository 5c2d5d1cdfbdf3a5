// What is looked at, and the same as a link.
import type { ScaleName } from "./colour";
import { hourKey, wrapped } from "./text";
import { HOUR } from "./source";

export const MODES = ["map", "cams", "side", "swipe", "difference"] as const;
export type Mode = (typeof MODES)[number];

export interface View {
  latitude: number;
  longitude: number;
  span: number; // degrees of longitude across the map
}

export interface State {
  hour: number; // since 1970-01-01 UTC; NaN for the first one
  view: View;
  mode: Mode;
  scale: ScaleName;
  end: number; // of the scale of differences
  swipe: number; // 0 to 1
  point: { latitude: number; longitude: number } | null;
  dots: string; // what of the stations is shown; empty for the first
}

export const initial = (): State => ({
  hour: NaN,
  view: { latitude: 0, longitude: 0, span: 360 },
  mode: "map",
  scale: "log",
  end: 50,
  swipe: 0.5,
  point: null,
  dots: "",
});

const round = (value: number, digits: number) => String(Number(value.toFixed(digits)));

export function toHash(state: State): string {
  const { latitude, longitude, span } = state.view;
  const parts: Record<string, string> = {
    t: Number.isNaN(state.hour) ? "" : hourKey(state.hour),
    v: [round(latitude, 3), round(wrapped(longitude), 3), round(span, 3)].join(","),
    m: state.mode,
    s: state.scale,
  };
  if (state.mode === "difference") parts.e = String(state.end);
  if (state.mode === "swipe") parts.w = round(state.swipe, 3);
  if (state.point) parts.p = `${round(state.point.latitude, 3)},${round(wrapped(state.point.longitude), 3)}`;
  if (state.dots) parts.d = state.dots;
  return `#${Object.entries(parts).map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll("%2C", ",")}`).join("&")}`; // prettier-ignore
}

/** What a link asks for; whatever it does not say, or says wrongly, is as at first. */
export function fromHash(hash: string): State {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const state = initial();
  const time = Date.parse(`${given.get("t") ?? ""}:00Z`);
  if (Number.isFinite(time)) state.hour = Math.floor(time / HOUR);
  const view = numbers(given.get("v"), 3);
  if (view && view[2] > 0) state.view = { latitude: clamp(view[0], -90, 90), longitude: wrapped(view[1]), span: clamp(view[2], 0.5, 1080) };
  state.mode = MODES.find((one) => one === given.get("m")) ?? state.mode;
  if (given.get("s") === "who") state.scale = "who";
  const [end] = numbers(given.get("e"), 1) ?? [];
  if (end > 0) state.end = end;
  const [swipe] = numbers(given.get("w"), 1) ?? [];
  if (swipe >= 0 && swipe <= 1) state.swipe = swipe;
  const point = numbers(given.get("p"), 2);
  if (point && Math.abs(point[0]) <= 90) state.point = { latitude: point[0], longitude: wrapped(point[1]) };
  state.dots = given.get("d") ?? "";
  return state;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function numbers(text: string | null, count: number): number[] | null {
  const found = (text ?? "").split(",").map((one) => (one.trim() ? Number(one) : NaN));
  return found.length === count && found.every(Number.isFinite) ? found : null;
}
