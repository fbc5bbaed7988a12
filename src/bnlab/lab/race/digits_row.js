// What the nets see: a few validation images, and under each of them the digit that a net guesses now.
// Right and wrong are told by a sign and by a frame, not by colour alone.

import { html, svg } from "../kit/js/elements.js";
import { swatch } from "../kit/js/looks.js";
import { STYLE } from "../kit/js/style.js";

const SIDE = 8, LEVELS = 16;

/** An image from its letters, one for each pixel. */
function picture(letters, label) {
  const pixels = [...letters].map((letter, i) => [parseInt(letter, 36), i]).filter(([level]) => level > 0);
  const element = svg("svg", {
    class: "bnlab-digit", viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "aria-label": `image of a ${label}`,
  });
  element.append(...pixels.map(([level, i]) => svg("rect", {
    x: i % SIDE, y: Math.floor(i / SIDE), width: 1.02, height: 1.02, opacity: (level / LEVELS).toFixed(2),
  })));
  return element;
}

/** `images` are letters, `labels` the digits; `draw(race, names)` has a row for each net, empty without a race. */
export function digitsRow({ images, labels }) {
  const head = html("tr", {}, html("th", { scope: "row" }, "images"),
    ...images.map((letters, i) => html("td", {}, picture(letters, labels[i]))), html("td", {}));
  const body = html("tbody", {});
  const element = html("div", { class: "bnlab-seen" },
    html("table", {},
      html("caption", { class: "bnlab-caption" }, "What each net answers for ten new images"),
      html("thead", {}, head), body));
  const rows = new Map();  // one for each net: {row, cells, count}

  function row(name) {
    if (!rows.has(name)) {
      const cells = labels.map(() => html("td", {}));
      const count = html("td", { class: "bnlab-count" });
      const title = html("th", { scope: "row" }, swatch(name), " ", STYLE[name].short);
      rows.set(name, { cells, count, row: html("tr", {}, title, ...cells, count) });
      rows.get(name).row.dataset.norm = name;
    }
    return rows.get(name);
  }

  function write(cell, guess, label) {
    const isRight = guess === label, text = guess === undefined ? "" : guess === null ? "?" : `${guess}${isRight ? "✓" : ""}`;
    if (cell.textContent !== text) cell.textContent = text;
    cell.className = text === "" ? "" : isRight ? "bnlab-right" : "bnlab-wrong";
  }

  function draw(race, names) {
    const wanted = names.map((name) => row(name).row);
    if (wanted.some((one, i) => body.children[i] !== one) || body.children.length !== wanted.length) {
      body.replaceChildren(...wanted);
    }
    for (const name of names) {
      const { cells, count } = row(name), { guesses, divergedAt } = race?.curves.get(name) ?? {};
      const seen = guesses?.map((guess) => (divergedAt === null ? guess : null)) ?? [];
      cells.forEach((cell, i) => write(cell, seen[i], labels[i]));
      const right = seen.filter((guess, i) => guess === labels[i]).length;
      count.textContent = seen.length ? `${right} of ${labels.length}` : "";
    }
  }
  return { element, draw };
}
