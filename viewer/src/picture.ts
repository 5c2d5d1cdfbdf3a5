// The map as a picture to keep: with its title, colour bar and attribution.
import type { Scale } from "./colour";

const HEAD = 34; // pixels above the map
const FOOT = 76; // and below it
const BAR = 460;
const MARGIN = 10;
const INK = "#1f2933";

export function framed(
  map: HTMLCanvasElement, width: number, height: number, scale: Scale, texts: { head: string; foot: string },
): Promise<Blob> {
  const ratio = map.width / width;
  const made = document.createElement("canvas");
  made.width = map.width;
  made.height = map.height + Math.round((HEAD + FOOT) * ratio);
  const context = made.getContext("2d")!;
  context.scale(ratio, ratio);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height + HEAD + FOOT);
  context.fillStyle = INK;
  context.font = "600 15px system-ui, sans-serif";
  context.fillText(texts.head, MARGIN, 23, width - 2 * MARGIN);
  context.drawImage(map, 0, HEAD, width, height);
  context.font = "11px system-ui, sans-serif";
  drawBar(context, scale, HEAD + height + MARGIN, Math.min(BAR, width - 2 * MARGIN));
  context.fillText(texts.foot, MARGIN, HEAD + height + FOOT - MARGIN, width - 2 * MARGIN);
  return new Promise((done, failed) => made.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"));
}

function drawBar(context: CanvasRenderingContext2D, scale: Scale, y: number, width: number): void {
  const piece = width / scale.css.length;
  scale.css.forEach((colour, i) => {
    context.fillStyle = colour;
    context.fillRect(MARGIN + i * piece, y, piece + 0.5, 14);
  });
  context.fillStyle = INK;
  for (const { at, label } of scale.ticks) {
    context.textAlign = at < 0.03 ? "left" : at > 0.97 ? "right" : "center";
    context.fillText(label, MARGIN + at * width, y + 27);
  }
  context.textAlign = "left";
}
