// Buttons, lists, the slider, the keyboard and the pointer: what they do to the page.
import type { App } from "./app";
import { canBeClassed } from "./colour";
import { byId, save, setText } from "./dom";
import { placeAt } from "./map";
import { watch } from "./pointer";
import { HOUR, MISSING } from "./source";
import { clamp, type Mode } from "./state";
import { OBSERVED, type Choice } from "./stations";
import { hourKey } from "./text";

const ENDS = [5, 10, 20, 50, 100, 200, 500];
const DAY = 24;
const NEAR = 0.25; // degrees that the mark moves by where cells are smaller

export function connect(app: App): void {
  connectChoices(app);
  connectTime(app);
  connectMap(app);
  document.addEventListener("keydown", (event) => pressed(app, event));
  new ResizeObserver(() => app.resize()).observe(app.canvas);
  window.addEventListener("hashchange", () => void app.follow(location.hash));
  byId("save").addEventListener("click", async () => save(`deepcams_${hourKey(app.state.hour)}.png`, await app.picture()));
  byId("link").addEventListener("click", () => void copyLink(app));
  byId("about-open").addEventListener("click", () => byId<HTMLDialogElement>("about").showModal());
  connectMore();
  byId("series-close").addEventListener("click", () => close(app));
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address is the link to what is seen
    app.canvas.focus();
  });
}

/** The menu of narrow windows: it closes after each choice, with Escape, and when something else is pressed. */
function connectMore(): void {
  const button = byId("more");
  const open = (on: boolean) => button.setAttribute("aria-expanded", String(on));
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
  document.addEventListener("click", (event) => event.target !== button && open(false));
  byId("deeds").parentElement!.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || button.getAttribute("aria-expanded") !== "true") return;
    event.stopPropagation();
    open(false);
    button.focus();
  });
}

function close(app: App): void {
  app.select(null);
  app.canvas.focus();
}

async function copyLink(app: App): Promise<void> {
  app.remember();
  await new Promise((done) => setTimeout(done, 200));
  try {
    await navigator.clipboard.writeText(location.href);
    setText("link", "Copied");
  } catch {
    setText("link", "See the address bar"); // a browser may keep the clipboard to itself
  }
  setTimeout(() => setText("link", "Copy link"), 2000);
}

function connectChoices(app: App): void {
  const { name, unit } = app.reader.facts;
  const mode = byId<HTMLSelectElement>("mode");
  const scale = byId<HTMLSelectElement>("scale");
  const end = byId<HTMLSelectElement>("end");
  const dots = byId<HTMLSelectElement>("dots");
  byId("mode-choice").hidden = !app.cams;
  byId("dots-choice").hidden = !app.stations;
  if (!canBeClassed(name, unit)) scale.querySelector('[value="who"]')?.remove();
  end.replaceChildren(...ENDS.map((one) => new Option(`±${one}`, String(one))));
  if (app.stations) dots.replaceChildren(...grouped(app.stations.choices));
  mode.addEventListener("change", () => {
    app.state.mode = mode.value as Mode;
    reflect(app);
    app.resize();
    void app.go(app.number);
  });
  scale.addEventListener("change", () => {
    app.state.scale = scale.value === "who" ? "who" : "log";
    app.repaint();
    app.remember();
  });
  end.addEventListener("change", () => {
    app.state.end = Number(end.value);
    app.repaint();
    app.remember();
  });
  dots.addEventListener("change", () => {
    app.state.dots = dots.value;
    reflect(app);
    void app.go(app.number);
  });
  const swipe = byId<HTMLInputElement>("swipe");
  swipe.addEventListener("input", () => moveEdge(app, Number(swipe.value) / 1000));
}

/** The options of a list, those of a group together. */
function grouped(choices: Choice[]): Element[] {
  const names = [...new Set(choices.map((one) => one.group))];
  return names.flatMap((name) => {
    const options = choices.filter((one) => one.group === name).map(({ value, label }) => new Option(label, value));
    if (!name) return options;
    const group = document.createElement("optgroup");
    group.label = name;
    group.append(...options);
    return [group];
  });
}

function moveEdge(app: App, share: number): void {
  app.state.swipe = clamp(share, 0, 1);
  byId<HTMLInputElement>("swipe").value = String(Math.round(app.state.swipe * 1000));
  app.redraw();
  app.remember();
}

/** Make lists and buttons say what is shown. */
export function reflect(app: App): void {
  const { mode, scale, end, swipe, dots } = app.state;
  byId<HTMLSelectElement>("mode").value = mode;
  byId<HTMLSelectElement>("scale").value = scale;
  const ends = byId<HTMLSelectElement>("end");
  if (![...ends.options].some((one) => Number(one.value) === end)) ends.add(new Option(`±${end}`, String(end)));
  ends.value = String(end);
  byId<HTMLSelectElement>("dots").value = dots;
  byId("end-choice").hidden = mode !== "difference";
  byId("scale-choice").hidden = mode === "difference" && dots !== OBSERVED; // nothing else has its colours then
  byId("swipe").hidden = mode !== "swipe";
  byId<HTMLInputElement>("swipe").value = String(Math.round(swipe * 1000));
}

function connectTime(app: App): void {
  const slider = byId<HTMLInputElement>("hour");
  slider.max = String(app.reader.kinds.length - 1);
  slider.addEventListener("input", () => void app.go(Number(slider.value)));
  byId("before").addEventListener("click", () => void app.step(-1));
  byId("after").addEventListener("click", () => void app.step(1));
  byId("play").addEventListener("click", () => app.play(!app.isPlaying));
  const date = byId<HTMLInputElement>("date");
  const { hours } = app.reader.facts;
  const text = (hour: number) => new Date(hour * HOUR).toISOString().slice(0, 16);
  [date.min, date.max] = [text(hours[0]), text(hours[hours.length - 1])];
  date.addEventListener("change", () => {
    const wanted = Math.floor(Date.parse(`${date.value}Z`) / HOUR);
    if (Number.isFinite(wanted)) void app.go(wanted - hours[0]);
  });
}

function connectMap(app: App): void {
  watch(app.canvas, {
    pan: (dx, dy) => app.pan(dx, dy),
    zoom: (factor, x, y) => app.zoom(factor, x, y),
    hover: (x, y) => {
      app.canvas.style.cursor = app.onEdge(x) ? "ew-resize" : "";
      app.read({ x, y });
    },
    leave: () => app.read(null),
    tap: (x, y) => {
      app.read({ x, y });
      selectStationOr(app, app.stationAt(x, y), placeAt(app.boxAt(x, y), app.state.view, x, y));
    },
    grip: (x) => (app.onEdge(x) ? (at) => moveEdge(app, at / app.canvas.clientWidth) : null),
  });
  byId("zoom-in").addEventListener("click", () => app.zoom(2));
  byId("zoom-out").addEventListener("click", () => app.zoom(0.5));
  byId("zoom-whole").addEventListener("click", () => app.whole());
}

/** Show the series at a station, or at a place. */
function selectStationOr(app: App, station: number | null, place: { latitude: number; longitude: number } | null): void {
  const chosen = station === null ? place : app.stations!.place(station);
  if (chosen) app.select(chosen);
}

const ARROWS: Record<string, [number, number]> = {
  ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
}; // prettier-ignore

function pressed(app: App, event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || byId<HTMLDialogElement>("about").open) return;
  if (event.key === "Escape" && !byId("series").hidden) return close(app);
  const editing = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
  const onMap = target === app.canvas && mapKeys(app, event);
  const done = onMap || (!editing && timeKeys(app, event, target.tagName === "BUTTON"));
  if (done) event.preventDefault();
}

function timeKeys(app: App, event: KeyboardEvent, onButton: boolean): boolean {
  const actions: Record<string, () => unknown> = {
    ",": () => app.step(-1),
    ".": () => app.step(1),
    PageUp: () => app.step(-DAY),
    PageDown: () => app.step(DAY),
    Home: () => app.go(0),
    End: () => app.go(app.reader.kinds.length - 1),
    " ": () => app.play(!app.isPlaying),
  };
  const action = onButton && event.key === " " ? undefined : actions[event.key]; // a button is pressed by it
  if (!action) return false;
  void Promise.resolve(action()).then(() => speak(app));
  return true;
}

function mapKeys(app: App, event: KeyboardEvent): boolean {
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey) app.pan(-60 * arrow[1], 60 * arrow[0]);
  else if (arrow) moveMark(app, arrow);
  else if (event.key === "+" || event.key === "=") app.zoom(2);
  else if (event.key === "-") app.zoom(0.5);
  else if (event.key === "0") app.whole();
  else if (event.key === "Enter" && app.mark) selectStationOr(app, app.markedStation(), app.mark);
  else return false;
  return true;
}

/** Move the mark by a cell, or by more where cells are too small to see; the map follows it. */
function moveMark(app: App, [up, right]: [number, number]): void {
  const { view } = app.state;
  const { step } = app.reader.facts.grid;
  const size = Math.max(step, NEAR * Math.ceil(view.span / 90));
  const from = app.mark ?? { latitude: view.latitude, longitude: view.longitude };
  const place = app.mark
    ? { latitude: clamp(from.latitude + up * size, -90, 90), longitude: from.longitude + right * size }
    : from;
  const [halfWide, halfTall] = [view.span / 2, (view.span * app.canvas.clientHeight) / app.canvas.clientWidth / 2];
  const away = ((place.longitude - view.longitude + 540) % 360) - 180;
  if (Math.abs(away) > 0.9 * halfWide || Math.abs(place.latitude - view.latitude) > 0.9 * halfTall)
    app.look({ ...view, latitude: place.latitude, longitude: view.longitude + away });
  app.setMark(place);
  setText("readout", app.describeMark());
  speak(app);
}

/** Say what is at the mark, for those who listen. */
function speak(app: App): void {
  setText("spoken", app.describeMark() || (byId("utc").textContent ?? ""));
}

/** The whole axis of time at a glance: hours that are missing are light. */
export function drawStrip(kinds: Uint8Array): void {
  const strip = byId<HTMLCanvasElement>("strip");
  strip.width = Math.max(1, strip.clientWidth);
  const context = strip.getContext("2d")!;
  for (let x = 0; x < strip.width; x++) {
    const [first, last] = [x, x + 1].map((one) => Math.floor((one * kinds.length) / strip.width));
    const part = kinds.subarray(first, Math.max(first + 1, last));
    const there = part.reduce((count, kind) => count + Number(kind !== MISSING), 0) / part.length;
    context.fillStyle = there > 0 ? `rgba(11, 92, 173, ${0.35 + 0.65 * there})` : "#d5d9de";
    context.fillRect(x, 0, 1, strip.height);
  }
}
