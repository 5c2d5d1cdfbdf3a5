// What the page tells of a place: values, and when and where.
import type { App } from "./app";
import { unitText } from "./colour";
import { byId } from "./dom";
import { cellAt, latitudeOf, longitudeOf } from "./grid";
import { scoreOf } from "./stations";
import { placeText, solarText, utcText, valueText } from "./text";

/** What is at a place, or at a station near it, in the hour that is shown. */
export function describe(app: App, latitude: number, longitude: number, station: number | null = null): string {
  if (station !== null) [latitude, longitude] = [app.stations!.told.latitude[station], app.stations!.told.longitude[station]];
  const { shown } = app;
  const { grid, unit } = app.reader.facts;
  const output = byId("readout");
  delete output.dataset.value;
  if (!shown) return "";
  const words: string[] = [];
  const cell = cellAt(grid, latitude, longitude);
  const at = cell ? [latitudeOf(grid, cell[0]), longitudeOf(grid, cell[1])] : [latitude, longitude];
  const value = (field: Float32Array | null, from: typeof grid) => {
    const own = field && cellAt(from, latitude, longitude);
    return own ? field[own[0] * from.columns + own[1]] : NaN;
  };
  if (app.state.mode !== "cams") {
    const found = value(shown.fine, grid);
    output.dataset.value = String(found);
    words.push(cell ? valueText(found, unitText(unit)) : "outside the data");
  }
  if (app.cams && shown.coarse) words.push(`CAMS ${valueText(value(shown.coarse.values, app.cams.facts.grid), unitText(unit))}`);
  if (shown.difference) words.push(`difference ${valueText(value(shown.difference, grid), unitText(unit))}`);
  if (station !== null) words.unshift(describeStation(app, station));
  return `${words.join(" · ")} · ${placeText(at[0], at[1])} · ${utcText(shown.hour)} · solar ${solarText(shown.hour, at[1])}`;
}

function describeStation(app: App, station: number): string {
  const value = app.shown?.observed?.[station] ?? NaN;
  const [product, score] = scoreOf(app.state.dots) ?? [];
  const what = score ? `${score} of ${product} ${Number(value.toPrecision(3))}` : `observed ${valueText(value, unitText(app.reader.facts.unit))}`;
  return `${app.stations!.told.name[station]}: ${what}`;
}
