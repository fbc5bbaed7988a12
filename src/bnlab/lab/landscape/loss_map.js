// The loss of each net on a plane: a map of colours for each, all with one scale.

import { html, svg } from "../kit/js/elements.js";
import { coloured } from "../kit/js/looks.js";
import { STYLE } from "../kit/js/style.js";
import { short } from "./slide_plot.js";

// Dark blue to yellow, of the same steps for the eye (after viridis): readable on any page.
const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
const LOST = "var(--bnlab-warn)", LEVELS = 40;

function colourAt(share) {
  const at = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const k = Math.min(STOPS.length - 2, Math.floor(at)), rest = at - k;
  return `rgb(${STOPS[k].map((c, i) => Math.round(c + rest * (STOPS[k + 1][i] - c))).join(",")})`;
}

/** The smallest and the largest loss of all planes; null if none is known. */
export function lossRange(planes) {
  const values = planes.flat(2).filter((value) => value !== null && value > 0);
  return values.length ? [Math.min(...values), Math.max(...values)] : null;
}

/** A legend of the colours, a panel for each net; `positions` are those of rows and columns. */
export function lossMaps({ positions }) {
  const row = html("div", { class: "bnlab-slices" });
  const scale = html("p", { class: "bnlab-caption" });
  const element = html("div", { class: "bnlab-slice-view", hidden: true },
    html("div", { class: "bnlab-colours" }, html("p", { class: "bnlab-caption" },
      "loss around the net: + now, ○ after the step at the line above; right: downhill, along the gradient; up: a random direction; dark: low"), scale),
    row);
  const panels = new Map();
  const first = positions[0], size = positions[1] - first, count = positions.length;

  function panel(name) {
    if (!panels.has(name)) {
      const cells = svg("g", { "shape-rendering": "crispEdges" }), over = svg("g");
      const picture = svg("svg", { class: "bnlab-slice", role: "img", preserveAspectRatio: "xMinYMin", viewBox: `${first - 2.2 * size} ${first - size} ${(count + 2.7) * size} ${(count + 2.6) * size}` }, cells, over);
      const caption = coloured(html("figcaption", { class: "bnlab-caption bnlab-named" }), name);
      const figure = html("figure", { class: "bnlab-figure" }, caption, picture);
      picture.dataset.norm = name;
      panels.set(name, { cells, over, picture, caption, figure, plane: null, range: "" });
    }
    return panels.get(name);
  }

  function drawCells(part, plane, [low, high]) {
    const share = (value) => Math.log(Math.max(value, low) / low) / Math.log(high / low || 2) || 0;
    const squares = new Map();  // a path for each colour: hundreds of elements would take long
    plane.forEach((line, i) => line.forEach((value, j) => {
      const fill = value === null ? LOST : colourAt(Math.round(share(value) * LEVELS) / LEVELS);
      const square = `M${positions[i] - size / 2},${-positions[j] - size / 2}h${size}v${size}h${-size}z`;
      squares.set(fill, (squares.get(fill) ?? "") + square);
    }));
    part.cells.replaceChildren(...[...squares].map(([fill, d]) => svg("path", { d, fill })));
  }

  function drawOver(part, marker) {
    const low = first - size / 2, high = -low, parts = [];
    for (const tick of [first, 0, -first]) {
      parts.push(svg("text", { x: tick, y: high + 2 * size, "text-anchor": "middle" }, tick));
      parts.push(svg("text", { x: low - 0.4 * size, y: -tick + 0.4 * size, "text-anchor": "end" }, tick));
    }
    const cross = `M${-size},0H${size}M0,${-size}V${size}`;
    for (const kind of ["bnlab-under", "bnlab-here"]) parts.push(svg("path", { class: kind, d: cross }));
    if (marker !== null && marker <= high) {
      for (const kind of ["bnlab-under", "bnlab-here"]) {
        parts.push(svg("circle", { class: kind, cx: marker, cy: 0, r: 0.7 * size }));
      }
    }
    part.over.replaceChildren(...parts);
  }

  /** `found` maps names to {plane, step}; those without a plane are left out. */
  function draw(found, { marker, alt }) {
    const known = [...found].filter(([, one]) => one.plane), range = lossRange(known.map(([, { plane }]) => plane));
    element.hidden = !range;
    if (!range) return;
    const figures = known.map(([name]) => panel(name).figure);
    if (figures.length !== row.children.length || figures.some((figure, i) => row.children[i] !== figure)) {
      row.replaceChildren(...figures);
    }
    for (const [name, { plane, step }] of known) {
      const part = panel(name);
      if (part.plane !== plane || part.range !== String(range)) drawCells(part, plane, range);
      Object.assign(part, { plane, range: String(range) });
      drawOver(part, marker);
      part.caption.replaceChildren(STYLE[name].short, html("span", { class: "bnlab-at" }, `, step ${step}`));
      part.picture.setAttribute("aria-label", alt(name));
    }
    const lost = known.some(([, { plane }]) => plane.flat().includes(null));
    const bars = Array.from({ length: 12 }, (_, i) => {
      const bar = html("span", { class: "bnlab-colour" });
      bar.style.background = colourAt(i / 11);
      return bar;
    });
    const ends = range.map((value) => `${short(value)} nats`);
    scale.replaceChildren(`${ends[0]} `, ...bars, ` ${ends[1]}${lost ? "; red: not finite" : ""}`);
  }

  return { element, draw };
}
