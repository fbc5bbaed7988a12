// What is shown as a file: its numbers as CSV, its pictures as SVG or PNG.

import { html, uniqueId } from "./elements.js";
import { button } from "./parts.js";
import { asCsv, asPng, asSvg } from "./picture_file.js";

const TABLE_HEAD_ROW = ["plot", "curve", "setting", "step, layer or length", "value", "lowest", "highest"];

/** The numbers of those parts that have `rows()`, as rows of a table with its head; empty if there are none. */
export function tableOf(parts) {
  const rows = parts.flatMap((part) => part.rows?.() ?? []);
  return rows.length ? [TABLE_HEAD_ROW, ...rows] : [];
}

/**
 * A button that opens three. `name` begins the names of the files; `table()` gives the rows,
 * `words()` {head, foot} of the picture; `say(text)` tells what went wrong.
 */
export function saveMenu({ root, name, table, words, say }) {
  const id = uniqueId("save");
  const open = button({ text: "Download", onClick: () => show(panel.hidden) });
  const kinds = { CSV: saveCsv, SVG: saveSvg, PNG: savePng };
  const items = Object.entries(kinds).map(([kind, save]) => button({ text: kind, onClick: () => { show(false); save(); } }));
  const panel = html("span", { class: "bnlab-save-panel", id, role: "group", "aria-label": "Download as", hidden: true },
    ...items.map(({ element }) => element));
  const element = html("span", { class: "bnlab-save", onkeydown: escape }, open.element, panel);
  open.element.setAttribute("aria-controls", id);
  show(false);

  function show(on) {
    panel.hidden = !on;
    open.element.setAttribute("aria-expanded", String(on));
    if (on) items[0].element.focus();
    else if (panel.contains(document.activeElement)) open.element.focus();
  }
  function escape(event) {
    if (event.key !== "Escape" || panel.hidden) return;
    event.stopPropagation();
    open.element.focus();
    show(false);
  }
  const outside = ({ target }) => { if (!panel.hidden && !element.contains(target)) show(false); };
  document.addEventListener("pointerdown", outside);

  function give(content, type, ending) {
    const address = URL.createObjectURL(new Blob([content], { type }));
    html("a", { href: address, download: `${name}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }
  const nothing = () => say("Nothing is shown yet that could be saved.");
  function saveCsv() {
    const rows = table();
    if (rows.length > 1) give(asCsv(rows), "text/csv", "csv");
    else nothing();
  }
  function saveSvg() {
    const picture = asSvg(root, words());
    if (picture) give(picture.text, "image/svg+xml", "svg");
    else nothing();
  }
  async function savePng() {
    const picture = asSvg(root, words());
    if (!picture) { nothing(); return; }
    try {
      give(await asPng(picture), "image/png", "png");
    } catch { say("This browser could not make a PNG of it; SVG may work."); }
  }
  return { element, destroy: () => document.removeEventListener("pointerdown", outside) };
}
