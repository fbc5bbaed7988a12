// What a normalizer looks like: its colour, and its marker and dash.

import { svg } from "./elements.js";
import { STYLE } from "./style.js";  // made by bundle.py from draw/style.json

/** Gives an element the colour of a normalizer, for light and dark pages, as --bnlab-colour. */
export function coloured(element, name) {
  const { light, dark } = STYLE[name];
  element.style.setProperty("--bnlab-colour", `light-dark(${light}, ${dark})`);
  return element;
}

/** A polygon, first corner up; `radii`, in turn from corner to corner, make stars and crosses. */
const corners = (count, radii = [1.15], turn = 0) => (r) => "M" + Array.from({ length: count }, (_, i) => {
  const angle = ((i + turn) / count) * 2 * Math.PI, radius = radii[i % radii.length] * r;
  return `${(radius * Math.sin(angle)).toFixed(2)},${(-radius * Math.cos(angle)).toFixed(2)}`;
}).join("L") + "z";

export const MARKERS = {
  o: (r) => `M${-r},0a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`,
  s: (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  "^": (r) => `M0,${-1.2 * r}L${1.15 * r},${0.9 * r}H${-1.15 * r}z`,
  v: (r) => `M0,${1.2 * r}L${1.15 * r},${-0.9 * r}H${-1.15 * r}z`,
  ">": (r) => `M${1.2 * r},0L${-0.9 * r},${1.15 * r}V${-1.15 * r}z`,
  "<": (r) => `M${-1.2 * r},0L${0.9 * r},${1.15 * r}V${-1.15 * r}z`,
  D: (r) => `M0,${-1.3 * r}L${1.3 * r},0L0,${1.3 * r}L${-1.3 * r},0z`,
  d: (r) => `M0,${-1.35 * r}L${0.8 * r},0L0,${1.35 * r}L${-0.8 * r},0z`,
  p: corners(5),
  h: corners(6),
  H: corners(6, [1.15], 0.5),
  8: corners(8, [1.15], 0.5),
  "*": corners(10, [1.4, 0.6]),
  P: corners(8, [1.3, 0.6]),
  X: corners(8, [0.6, 1.3]),
  ".": (r) => MARKERS.o(0.6 * r),
  x: (r) => `M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}`,
};

/** A short piece of a normalizer's curve: colour, dash and marker. */
export function swatch(name) {
  const { dash, marker } = STYLE[name];
  const picture = svg("svg", { class: "bnlab-swatch", viewBox: "0 0 34 12", "aria-hidden": "true" },
    svg("path", { class: "bnlab-curve", d: "M1,6H33", "stroke-dasharray": dash.join(" ") }),
    svg("path", { class: "bnlab-dot", d: MARKERS[marker](3.4), transform: "translate(17,6)" }));
  return coloured(picture, name);
}

const textWidths = new Map();
let textPen = null;

/** How wide a text is as a label, in em. */
export function textWidth(text, family) {
  const key = `${family} ${text}`;
  if (!textWidths.has(key)) {
    textPen ??= document.createElement("canvas").getContext("2d");
    textPen.font = `650 100px ${family}`;
    textWidths.set(key, textPen.measureText(text).width / 100);
  }
  return textWidths.get(key);
}
