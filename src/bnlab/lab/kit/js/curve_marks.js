// The curves of a plot: line, band, dots, end and label of each, made once and then continued.

import { svg } from "./elements.js";
import { coloured, MARKERS, textWidth } from "./looks.js";
import { STYLE } from "./style.js";

const keyOf = ({ name, ghost }) => `${ghost ? "before " : ""}${name}`;

/** What the label of a curve says: the longest form first. */
function wordsOf({ name, divergedAt, ghost }, alone) {
  const { short, label } = STYLE[name];
  if (ghost) return [alone ? `${short}, before` : "before"];
  const who = short === "none" ? label : short;  // "none diverged" would say that all are well
  return divergedAt === null ? [short] : [`${who}: diverged at step ${divergedAt}`, `${who}: diverged`, short];
}

/**
 * `draw(curves, view)` draws them where `view` {em, x, y, top} says and gives their labels, as
 * label_places.js wants them, each with its `element`, its `leader` element and its `words`.
 */
export function curveMarks({ bands, ghosts, lines, labels }) {
  const marks = new Map();

  function make({ name, ghost }) {
    const pale = ghost ? " bnlab-ghost" : "", part = (kind) => coloured(svg("path", { class: `${kind}${pale}` }), name);
    const line = part("bnlab-curve"), area = part("bnlab-band"), dots = part("bnlab-batches");
    const end = coloured(svg("path"), name), leader = part("bnlab-leader");
    const label = coloured(svg("text", { class: `bnlab-label${pale}` }), name);
    line.dataset.norm = label.dataset.norm = name;
    bands.append(area);
    (ghost ? ghosts : lines).append(line, dots, end);
    labels.prepend(leader);
    labels.append(label);
    return { line, area, dots, end, leader, label, pale, path: null };
  }

  function markOf(curve) {
    const key = keyOf(curve);
    if (!marks.has(key)) marks.set(key, make(curve));
    return marks.get(key);
  }

  function drop(curves) {
    const kept = new Set(curves.map(keyOf));
    for (const [key, { path, pale, ...parts }] of marks) {
      if (kept.has(key)) continue;
      Object.values(parts).forEach((part) => part.remove());
      marks.delete(key);
    }
  }

  function draw(curves, view) {
    drop(curves);
    const names = new Set(curves.filter(({ ghost }) => !ghost).map(({ name }) => name));
    return curves.map((curve) => drawOne(curve, view, !names.has(curve.name))).filter(Boolean);
  }

  function drawOne(curve, view, alone) {
    const { name, points, divergedAt, band = [], dots = [] } = curve, { em, x, y } = view;
    const mark = markOf(curve), { line, area, end, label, leader, pale } = mark, diverged = divergedAt !== null;
    line.setAttribute("d", continued(mark, points, view));
    line.dataset.points = points.length;
    line.setAttribute("stroke-dasharray", STYLE[name].dash.map((part) => (part * em) / 14).join(" "));
    area.setAttribute("d", outline(band, view));
    mark.dots.setAttribute("d", dots.map(([s, v]) => `M${x(s).toFixed(1)},${y(v).toFixed(1)}h0`).join(""));
    // A net that diverged before its first point left the picture through the top of the loss.
    const last = [points.at(-1), dots.at(-1)].filter(Boolean).sort((a, b) => b[0] - a[0])[0];
    const spot = last ? [x(last[0]), y(last[1])] : [x(divergedAt ?? 0), view.top];
    const visible = Boolean(last) || diverged;
    end.setAttribute("d", visible ? MARKERS[diverged ? "x" : STYLE[name].marker](0.3 * em) : "");
    end.setAttribute("class", `${diverged ? "bnlab-cross" : "bnlab-dot"}${pale}`);
    end.setAttribute("transform", `translate(${spot.map((v) => v.toFixed(1))})`);
    if (!visible) return hide(label, leader);
    const words = wordsOf(curve, alone), widths = words.map((text) => textWidth(text, view.font) * em);
    const wide = diverged && !pale;
    return {
      end: spot, widths, height: 1.15 * em, gap: (diverged ? 0.8 : 0.6) * em, wide, weak: pale !== "",
      words, element: label, leader,
    };
  }

  return { draw };
}

function hide(label, leader) {
  label.textContent = "";
  leader.setAttribute("d", "");
  return null;
}

/** The path through these points; if it is longer than before, only what is new is written. */
function continued(mark, points, view) {
  const { path } = mark, { x, y } = view;
  const isLonger = path?.count > 0 && path.view === view && path.points === points && path.count <= points.length;
  const text = points.slice(isLonger ? path.count : 0)
    .map(([s, v]) => `L${x(s).toFixed(1)},${y(v).toFixed(1)}`).join("");
  const d = isLonger ? path.d + text : text.replace("L", "M");
  mark.path = { view, points, count: points.length, d };
  return d;
}

/** Along the lower edge of a band, and back along the upper one. */
function outline(band, { x, y }) {
  if (!band.length) return "";
  const edge = [...band.map(([s, low]) => [s, low]), ...band.map(([s, , high]) => [s, high]).reverse()];
  return `M${edge.map(([s, v]) => `${x(s).toFixed(1)},${y(v).toFixed(1)}`).join("L")}z`;
}

/** Puts labels where label_places.js says; `em` is the size of their letters. */
export function putLabels(labels, places, em) {
  labels.forEach(({ element, leader, words }, i) => {
    const place = places[i];
    const text = place ? words[place.form] : "";
    if (element.textContent !== text) element.textContent = text;
    leader.setAttribute("d", place?.leader ? `M${place.leader.map((spot) => spot.map((v) => v.toFixed(1))).join("L")}` : "");
    if (!place) return;
    element.setAttribute("x", place.x.toFixed(1));
    element.setAttribute("y", (place.y + 0.35 * em).toFixed(1));
  });
}
