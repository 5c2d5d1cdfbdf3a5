// A colour bar with its ticks.
import type { Scale } from "./colour";
import { element } from "./chart";

const HEIGHT = 14;

export function drawLegend(svg: SVGSVGElement, scale: Scale): void {
  const width = Math.max(220, svg.clientWidth || 460);
  const piece = width / scale.css.length;
  const parts = scale.css.map((colour, i) => element("rect", { x: i * piece, y: 0, width: piece + 0.6, height: HEIGHT, fill: colour }));
  parts.push(element("rect", { x: 0.5, y: 0.5, width: width - 1, height: HEIGHT - 1, fill: "none", stroke: "#7b8794" }));
  for (const { at, label } of scale.ticks) {
    const x = at * width;
    const anchor = at < 0.03 ? "start" : at > 0.97 ? "end" : "middle";
    parts.push(element("line", { x1: x, x2: x, y1: HEIGHT - 4, y2: HEIGHT + 3, stroke: "#1f2933" }));
    parts.push(element("text", { x, y: HEIGHT + 15, "text-anchor": anchor }, label));
  }
  svg.setAttribute("viewBox", `0 0 ${width} 32`);
  svg.replaceChildren(...parts);
}
