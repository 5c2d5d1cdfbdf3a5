// Times, places and values as text.
import { HOUR } from "./source";

const two = (number: number) => String(number).padStart(2, "0");

/** ISO text of an hour, as links have it: 2019-12-31T15. */
export function hourKey(hours: number): string {
  return new Date(hours * HOUR).toISOString().slice(0, 13);
}

export function utcText(hours: number): string {
  return `${new Date(hours * HOUR).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** The same instant in the time zone of this browser. */
export function browserText(hours: number): string {
  return new Intl.DateTimeFormat("en-GB", {
    day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  }).format(hours * HOUR); // prettier-ignore
}

/** Mean solar time at a longitude; with the days by which its date differs. */
export function solarText(hours: number, longitude: number): string {
  const east = wrapped(longitude);
  const minutes = Math.round((hours + east / 15) * 60);
  const shift = Math.floor(minutes / 1440) - Math.floor(hours / 24);
  const day = ((minutes % 1440) + 1440) % 1440;
  const text = `${two(Math.floor(day / 60))}:${two(day % 60)}`;
  return shift ? `${text} (${shift > 0 ? "next" : "previous"} day)` : text;
}

/** A longitude within -180..180. */
export function wrapped(longitude: number): number {
  return longitude - 360 * Math.floor((longitude + 180) / 360);
}

export function placeText(latitude: number, longitude: number): string {
  const east = wrapped(longitude);
  const part = (value: number, names: string) => `${Math.abs(value).toFixed(2)}°${value < 0 ? names[1] : names[0]}`;
  return `${part(latitude, "NS")} ${part(east, "EW")}`;
}

export function valueText(value: number, unit: string): string {
  if (Number.isNaN(value)) return "no data";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value !== 0 && Math.abs(value) < 1e-2 ? value.toExponential(2) : value.toFixed(digits);
  return `${text.replace("-", "−")} ${unit}`;
}
