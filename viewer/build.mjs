// Builds the page into ../src/deepcams/viewer/page, or another folder that is given: three scripts, coastlines, and the files that are copied.
import { build } from "esbuild";
import { unzipSync } from "fflate";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "../src/deepcams/viewer/page");
const coastlines = join(here, "../src/deepcams/plot/coastlines.npz");
const bundled = ["zarrita", "@zarrita/storage", "numcodecs", "fzstd", "fflate", "reference-spec-reader", "unzipit"];

/** The numbers of a NumPy array file (version 1, little-endian). */
function readNpy(bytes) {
  const length = bytes[8] + 256 * bytes[9];
  const header = new TextDecoder("latin1").decode(bytes.subarray(10, 10 + length));
  const kind = /'descr': '([^']+)'/.exec(header)[1];
  const data = bytes.slice(10 + length).buffer;
  if (header.includes("'fortran_order': True")) throw new Error("coastlines: wanted rows one after the other");
  return { "<i2": () => new Int16Array(data), "<i4": () => new Int32Array(data) }[kind]();
}

/** Count of lines, first point of each (int32), then longitude and latitude in hundredths of a degree (int16). */
function writeCoastlines(scale, arrays) {
  const starts = readNpy(arrays[`starts_${scale}.npy`]);
  const points = readNpy(arrays[`points_${scale}.npy`]);
  const head = new Int32Array([starts.length, ...starts]);
  const parts = [head, points].map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength));
  writeFileSync(join(target, `coastlines-${scale}.bin`), Buffer.concat(parts));
}

function licences() {
  const texts = bundled.map((name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : "";
    return `${name} ${version}, ${license}\n\n${text}\n`;
  });
  const others = [
    "Coastlines: Natural Earth 4.1, public domain (https://www.naturalearthdata.com)",
    "Colours: lajolla and vik of Fabio Crameri's Scientific colour maps, MIT (https://doi.org/10.5281/zenodo.1243862)",
  ];
  return `What this page is built from besides its own sources.\n\n${others.join("\n")}\n\n${texts.join("\n\n")}`;
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { main: "src/main.ts", worker: "src/worker.ts", unpacker: "src/unpacker.ts" },
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  // Decoders of our own instead of those in WebAssembly: src/blosc.ts says why.
  alias: { "numcodecs/blosc": "./src/blosc.ts", "numcodecs/zstd": "./src/zstd.ts" },
});
for (const name of ["index.html", "style.css", "icon.svg"]) copyFileSync(join(here, "src", name), join(target, name));
const arrays = unzipSync(readFileSync(coastlines));
for (const scale of ["110m", "50m"]) writeCoastlines(scale, arrays);
writeFileSync(join(target, "licences.txt"), licences());
