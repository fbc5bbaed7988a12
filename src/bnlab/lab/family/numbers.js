// A block (N, C, H, W) as a table of numbers: samples are rows, channels are columns, and each of
// their crossings holds the H * W numbers of one sample and channel.

import { html } from "../kit/js/elements.js";
import { figure } from "./sharing.js";

const SIDE = 8;  // pixels of an image

/** The image of a sample, bright on dark on every page. `pixels`: a sign each, 0 to g (16). */
function thumbnail() {
  const element = html("canvas", { width: SIDE, height: SIDE, class: "bnlab-thumb", "aria-hidden": "true" });
  return {
    element,
    draw(pixels) {
      const pen = element.getContext("2d"), image = pen.createImageData(SIDE, SIDE);
      [...pixels].forEach((sign, i) => {
        image.data.fill(Math.round((parseInt(sign, 17) / 16) * 255), 4 * i, 4 * i + 3);
        image.data[4 * i + 3] = 255;
      });
      pen.putImageData(image, 0, 0);
    },
  };
}

/**
 * `shape` is [C, H, W]. `onChoose(index)` and `onPreview(index or null)` hear of the pointer; with
 * `keys`, the table is a grid: arrow keys choose too. `draw` takes {samples, values, lit, shown,
 * framed, chosen, kept, stored}: samples are {digit, pixels}; lit and framed are Sets of indices, two
 * marks; shown is the index looked at, chosen the one that keeps the focus; kept a row to mark, or
 * null; stored is {values, channel, used, helps} or null, values being {mean, var, norm}, as far as
 * they are kept: `used` instead of the batch's, or beside them (`helps`).
 */
export function numberBlock({ shape: [C, H, W], keys = false, onChoose, onPreview }) {
  const caption = html("figcaption", { class: "bnlab-caption" });
  const table = html("table", { class: "bnlab-numbers", role: keys ? "grid" : null });
  const element = html("figure", { class: "bnlab-block" }, caption, table);
  element.style.setProperty("--bnlab-columns", C * W);
  let rows = [], cells = [];

  const indexAt = (n, c, h, w) => ((n * C + c) * H + h) * W + w;
  const header = html("thead", {}, html("tr", {}, html("td", { class: "bnlab-corner" }),
    ...Array.from({ length: C }, (_, c) =>
      html("th", { scope: "colgroup", colspan: W, abbr: `channel ${c + 1}` }, c + 1))));
  const foot = html("tfoot", {});
  const storedRow = (label) => {
    const values = Array.from({ length: C }, () => html("td", { colspan: W }));
    foot.append(html("tr", {}, html("th", { scope: "row" }, label), ...values));
    return values;
  };
  const footWords = html("th", { scope: "rowgroup", colspan: C * W + 1, class: "bnlab-foot" });
  foot.append(html("tr", {}, footWords));
  const stored = { mean: storedRow("mean"), var: storedRow("var."), norm: storedRow("norm") };

  function build(N) {
    rows = Array.from({ length: N }, (_, n) => {
      const image = thumbnail();
      const words = html("span", { class: "bnlab-hidden" });
      const head = html("th", { scope: "rowgroup", rowspan: H }, image.element, words);
      const lines = Array.from({ length: H }, (_, h) => html("tr", {},
        ...(h ? [] : [head]),
        ...Array.from({ length: C * W }, (_, i) => cell(n, Math.floor(i / W), h, i % W))));
      return { head, image, words, body: html("tbody", {}, ...lines) };
    });
    cells = [];
    for (const td of rows.flatMap(({ body }) => [...body.querySelectorAll("td")])) cells[td.dataset.at] = td;
    table.replaceChildren(header, ...rows.map((row) => row.body), foot);
  }

  function cell(n, c, h, w) {
    const edges = {
      "bnlab-first": w === 0, "bnlab-last": w === W - 1, "bnlab-top": h === 0, "bnlab-bottom": h === H - 1,
    };
    const td = html("td", { class: Object.keys(edges).filter((edge) => edges[edge]).join(" ") });
    td.dataset.at = indexAt(n, c, h, w);
    if (keys) td.dataset.lmSuppressShortcuts = "true";  // or JupyterLab takes the arrow keys away
    return td;
  }

  function draw({ samples, values, lit, framed, shown, chosen, kept, stored: used, words }) {
    if (rows.length !== samples.length) build(samples.length);
    samples.forEach(({ digit, pixels }, n) => {
      const { head, image, words: label } = rows[n];
      if (head.dataset.pixels !== pixels) image.draw(head.dataset.pixels = pixels);
      label.textContent = `image ${n + 1}, a ${digit}`;
      head.classList.toggle("bnlab-kept", n === kept);
    });
    cells.forEach((td, i) => {
      if (td.dataset.value !== String(values[i])) write(td, i, values[i]);
      td.classList.toggle("bnlab-lit", lit.has(i));
      td.classList.toggle("bnlab-framed", framed.has(i));
      td.classList.toggle("bnlab-shown", i === shown);
      if (!keys) return;
      td.tabIndex = i === chosen ? 0 : -1;
      td.setAttribute("aria-selected", String(i === chosen));
    });
    drawStored(used);
    if (caption.textContent !== words) caption.textContent = words;
    table.setAttribute("aria-label", words);
  }

  /** One decimal, if there is room; a hyphen on the page, a true minus for screen readers. */
  function write(td, i, value) {
    td.dataset.value = value;
    td.textContent = figure(value, Math.abs(value) < 9.95 ? 1 : 0).replace("−", "-");
    const n = Math.floor(i / (H * W * C)), c = Math.floor(i / (H * W)) % C;
    if (keys) td.setAttribute("aria-label", `image ${n + 1}, channel ${c + 1}: ${figure(value)}`);
  }

  function drawStored(now) {
    foot.hidden = now === null;
    if (!now) return;
    const not = now.helps ? "used in r and d" : "not used in train mode";
    foot.classList.toggle("bnlab-unused", !now.used && !now.helps);
    footWords.textContent = now.used ? "stored while training" : `stored while training; ${not}`;
    for (const [key, tds] of Object.entries(stored)) {
      tds[0].parentElement.hidden = !(key in now.values);
      if (!(key in now.values)) continue;
      tds.forEach((td, c) => {
        td.textContent = figure(now.values[key][c], 2).replace("−", "-");
        td.classList.toggle("bnlab-lit", (now.used || now.helps) && c === now.channel);
      });
    }
  }

  const under = (event) => {
    const at = event.target.closest?.("td[data-at]")?.dataset.at;
    return at === undefined ? null : Number(at);
  };
  function step(event) {
    const from = under(event), move = MOVES[event.key];
    if (from === null || !move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const w = from % W, h = Math.floor(from / W) % H, patch = Math.floor(from / (W * H));
    const size = { x: C * W, y: rows.length * H };
    const { x, y } = move({ x: (patch % C) * W + w, y: Math.floor(patch / C) * H + h }, size);
    const within = (at, count) => Math.min(count - 1, Math.max(0, at));
    const [column, line] = [within(x, size.x), within(y, size.y)];
    const next = indexAt(Math.floor(line / H), Math.floor(column / W), line % H, column % W);
    onChoose(next);
    cells[next].focus();
  }
  table.addEventListener("click", (event) => {
    const at = under(event);
    if (at === null) return;
    onChoose(at);
    if (keys) cells[at].focus({ preventScroll: true });
  });
  // A finger does not hover: it taps, and that is a click.
  table.addEventListener("pointerover", (event) => event.pointerType === "mouse" && onPreview(under(event)));
  table.addEventListener("pointerleave", () => onPreview(null));
  if (keys) table.addEventListener("keydown", step);
  return { element, draw };
}

const MOVES = {
  ArrowLeft: ({ x, y }) => ({ x: x - 1, y }),
  ArrowRight: ({ x, y }) => ({ x: x + 1, y }),
  ArrowUp: ({ x, y }) => ({ x, y: y - 1 }),
  ArrowDown: ({ x, y }) => ({ x, y: y + 1 }),
  Home: ({ y }) => ({ x: 0, y }),
  End: ({ y }, size) => ({ x: size.x - 1, y }),
};
