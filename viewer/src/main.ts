// Opens what the page is to show, and says so where that cannot be.
import { App } from "./app";
import { connect, drawStrip, reflect } from "./controls";
import { byId, setText } from "./dom";
import { Reader, Worklist } from "./reader";
import { MISSING, type Facts } from "./source";
import { Stations } from "./stations";
import { utcText } from "./text";

interface Description {
  version: string;
  label: string;
  store: string;
  variable: string;
  kinds: string | null;
  cams: { store: string; variable: string; label: string } | null;
  stations: string | null;
}

const FACTS: [string, string][] = [
  ["title", "What it is"],
  ["source", "Made by"],
  ["deepcams_inputs", "Made from"],
  ["deepcams_keepbits", "Bits kept of each value's mantissa"],
  ["references", "References"],
  ["license", "Licence"],
  ["attribution", "Attribution"],
];
const notices: string[] = [];

function notice(text: string, failed = false): void {
  notices.push(text);
  const element = byId("notice");
  element.hidden = false;
  element.classList.toggle("failed", failed || element.classList.contains("failed"));
  element.textContent = notices.join(" ");
}

async function describe(): Promise<Description> {
  const answer = await fetch(new URL("view.json", document.baseURI), { cache: "no-store" });
  if (!answer.ok) throw new Error(`what to show is not told (view.json: the server says ${answer.status})`);
  return answer.json();
}

function provenance(told: Description, facts: Facts): void {
  const { grid, hours } = facts;
  const last = [grid.north - (grid.rows - 1) * grid.step, grid.west + (grid.columns - 1) * grid.step];
  const own: [string, string][] = [
    ["File", told.label],
    ["Grid", `${grid.rows} × ${grid.columns} cells of ${grid.step}°, ${grid.north}° to ${last[0]}° north, ${grid.west}° to ${last[1]}° east`],
    ["Hours", `${utcText(hours[0])} to ${utcText(hours[hours.length - 1])}`],
    ...FACTS.filter(([key]) => facts.attributes[key] !== undefined).map(([key, title]): [string, string] => [title, String(facts.attributes[key])]),
    ...(told.cams ? [["Compared with", told.cams.label] as [string, string]] : []),
    ["This page", `deepcams ${told.version}`],
  ];
  const parts = own.flatMap(([title, text]) => [["dt", title], ["dd", text]].map(([tag, content]) => {
    const made = document.createElement(tag);
    made.textContent = content;
    return made;
  })); // prettier-ignore
  byId("facts").replaceChildren(...parts);
  const { license, attribution } = facts.attributes;
  setText("attribution", [attribution, license].filter(Boolean).join(" "));
}

/** Say what the store lacks. */
function tellState(reader: Reader): void {
  const { attributes, hours } = reader.facts;
  const made = reader.kinds.reduce((count, kind) => count + Number(kind !== MISSING), 0);
  const lacks = made < hours.length ? `${made} of ${hours.length} hours are there` : "";
  if (attributes.status === "unfinished")
    notice(`This store is unfinished: it is being written, or a run was stopped${lacks ? `; ${lacks}` : ""}. Reload to see what has come.`);
  else if (made === 0) notice("This store has no hour with data.", true);
  else if (lacks) setText("spoken", `${lacks}; the others are missing`);
}

async function open(): Promise<void> {
  const told = await describe();
  setText("label", told.label);
  document.title = `${told.label} – DeepCAMS`;
  const list = new Worklist();
  const reader = await Reader.open(list, told.store, told.variable);
  if (!reader.facts.hours.length) throw new Error("this store has no hours");
  provenance(told, reader.facts);
  const cams = told.cams ? await Reader.open(list, told.cams.store, told.cams.variable).catch(failed("CAMS")) : null;
  const stations = told.stations ? await Stations.load(told.stations).catch(failed("The stations")) : null;
  const app = new App(reader, cams, stations, told.label);
  connect(app);
  const begun = app.follow(location.hash);
  reflect(app);
  await begun;
  reflect(app);
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
  const strip = () => drawStrip(reader.kinds);
  await reader.learnAll(told.kinds, strip);
  window.addEventListener("resize", strip);
  window.addEventListener("hashchange", () => reflect(app));
  tellState(reader);
  document.documentElement.dataset.known = "true";
}

const failed = (what: string) => (error: Error) => {
  notice(`${what} cannot be shown: ${error.message}.`, true);
  return null;
};

open().catch((error: Error) => {
  notice(`Nothing can be shown: ${error.message}.`, true);
  document.documentElement.dataset.ready = "failed";
});
