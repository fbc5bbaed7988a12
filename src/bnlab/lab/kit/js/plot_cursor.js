// The values of a plot under the pointer, or at a line that the arrow keys move.

import { html } from "./elements.js";
import { swatch } from "./looks.js";
import { STYLE } from "./style.js";

/** The value of a curve at a stop: the last one up to it; null before its first point. */
export function valueAt({ points }, stop) {
  return points.findLast(([at]) => at <= stop)?.[1] ?? null;
}

const briefName = (name) => STYLE[name].short || STYLE[name].label;

const inWords = (write, { divergedAt = null, ...curve }, stop) => {
  if (divergedAt !== null && stop >= divergedAt) return "diverged";
  const value = valueAt(curve, stop);
  return value === null ? "no value yet" : write(value);
};

/**
 * A line over a plot, and a box with the values there. `set(curves)`: {name, points, divergedAt,
 * ghost}; `place(box, x, y)`: where they are drawn. It is a slider, so a screen reader says the
 * values as it moves.
 */
export function cursor({ title, word, write = (value) => String(+value.toPrecision(3)) }) {
  const line = html("div", { class: "bnlab-cursor-line" }), box = html("div", { class: "bnlab-cursor-values" });
  const element = html("div", {
    class: "bnlab-cursor", role: "slider", tabindex: 0, "aria-label": `values of ${title}`,
    onpointermove: follow, onpointerdown: follow, onpointerleave: leave, onkeydown: key,
    onfocus: () => { if (at === null && element.matches(":focus-visible")) move(stops.length - 1); },
    onblur: () => move(null),
  }, line, box);
  element.dataset.lmSuppressShortcuts = "true";
  let curves = [], stops = [], at = null, view = null, x = null;

  function set(given) {
    curves = given;
    stops = [...new Set(curves.flatMap(({ points }) => points.map(([stop]) => stop)))].sort((a, b) => a - b);
    if (at !== null && at >= stops.length) at = stops.length ? stops.length - 1 : null;
    say("aria-valuemin", stops[0] ?? 0);
    say("aria-valuemax", stops.at(-1) ?? 0);
    tell();
  }

  function place(given, toX) {
    [view, x] = [given, toX];
    show();
  }

  function move(next) {
    at = next === null || !stops.length ? null : Math.max(0, Math.min(stops.length - 1, next));
    tell();
    show();
  }

  /** The values of each net: [name, its value now, what it was before]. */
  function values() {
    const found = new Map();
    for (const curve of curves) {
      const row = found.get(curve.name) ?? [curve.name, "", ""];
      row[curve.ghost ? 2 : 1] = inWords(write, curve, stops[at]);
      found.set(curve.name, row);
    }
    return [...found.values()];
  }
  const rowText = ([name, now, before]) =>
    `${briefName(name)} ${[now, before && `before ${before}`].filter(Boolean).join(", ")}`;

  function tell() {
    const text = at !== null ? `${word} ${stops[at]}: ${values().map(rowText).join("; ")}`
      : stops.length ? "arrow keys show values" : "no values yet";
    say("aria-valuenow", stops[at ?? 0] ?? 0);
    say("aria-valuetext", text);
  }
  function say(attribute, value) {
    if (element.getAttribute(attribute) !== String(value)) element.setAttribute(attribute, value);
  }

  function show() {
    element.classList.toggle("bnlab-shows", at !== null && view !== null);
    if (at === null || !view) return;
    const left = x(stops[at]), { width, top, bottom } = view;
    line.style.cssText = `left:${left.toFixed(1)}px;top:${top.toFixed(1)}px;height:${(bottom - top).toFixed(1)}px`;
    box.replaceChildren(html("div", {}, `${word} ${stops[at]}`), ...values().map(([name, now, before]) =>
      html("div", {}, swatch(name), ` ${briefName(name)} `, html("b", {}, now), before && ` before ${before}`)));
    const size = box.offsetWidth, gap = 0.6 * view.em, wanted = left < width / 2 ? left + gap : left - gap - size;
    box.style.left = `${Math.max(0, Math.min(width - size, wanted)).toFixed(1)}px`;
  }

  function follow({ clientX }) {
    if (!view || !stops.length) return;
    const { left, width } = element.getBoundingClientRect(), here = ((clientX - left) / width) * view.width;
    const near = stops.reduce((best, stop, i) => (Math.abs(x(stop) - here) < Math.abs(x(stops[best]) - here) ? i : best), 0);
    if (near !== at) move(near);
  }
  function leave() { if (document.activeElement !== element) move(null); }
  function key(event) {
    const now = at ?? stops.length - 1;
    const next = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, Home: 0, End: stops.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    move(next);
  }
  return { element, set, place };
}
