// The ranks of the architectures that are compared, as a table.

import { html } from "../kit/js/elements.js";
import { MARKS } from "./choices_grid.js";
import { rankRows, WHO } from "./choices_words.js";

const SIGNS = { mine: "●", ...MARKS, same: "" };
const COLUMNS = ["", "architecture", "by γ (sum)", "by size (MACs)", "by accuracy, trained alone"];

export function rankTable(count) {
  const body = html("tbody");
  const element = html("table", { class: "bnlab-ranks" },
    html("caption", { }, `rank among all ${count} architectures, largest first`),
    html("thead", {}, html("tr", {}, ...COLUMNS.map((text) => html(text ? "th" : "td", text ? { scope: "col" } : {}, text)))),
    body);
  let shown = "";

  function draw(space, scores, chosen, hidden, same) {
    const rows = rankRows(space, scores, chosen, hidden, same), now = JSON.stringify(rows);
    if (now === shown) return;
    shown = now;
    body.replaceChildren(...rows.map(({ who, name, score, size, truth }) =>
      html("tr", { "data-who": who },
        html("th", { scope: "row" }, html("span", { class: `bnlab-${who}`, "aria-hidden": "true" }, SIGNS[who]),
          ` ${WHO[who] ?? `all ${same.length} of that size`}`),
        ...[name, score, size, truth].map((text) => html("td", {}, text)))));
  }
  return { element, draw };
}
