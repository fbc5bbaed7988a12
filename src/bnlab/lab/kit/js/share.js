// Share: the state of a widget as a link, as a line for slides or a page, and as a QR code.

import { html, svg, uniqueId } from "./elements.js";
import { loadScript } from "./engines.js";
import { button } from "./parts.js";

const FRAME = { width: 960, height: 600 };  // of the line that is copied; the reader may change it
const QUIET = 4;  // modules around a QR code, as its standard wants
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");

/** The name of the widget that this page shows alone, PAGE.html?embed=NAME; null: all of the page. */
export const embeddedName = () => new URLSearchParams(location.search).get("embed");

/** The address of a state, in the page or, if `alone`, in a frame that has the widget for itself. */
export function addressOf(name, query, alone = false) {
  const address = new URL(location.href);
  address.searchParams.delete("embed");
  if (alone) address.searchParams.set("embed", name);
  address.hash = `${name}?${query}`;
  return address.href;
}

export function frameLine(address, title) {
  return `<iframe src="${escaped(address)}" title="${escaped(title)}" width="${FRAME.width}" height="${FRAME.height}" `
    + `style="border: 0; max-width: 100%" allow="fullscreen; clipboard-write"></iframe>`;
}

/** A button that copies a text, and says so; where that is forbidden, `field` shows it instead. */
export function copyButton({ text, done, field, give }) {
  let timer = 0;
  const press = button({ text, onClick: copy });
  async function copy() {
    const copied = give();
    try {
      await navigator.clipboard.writeText(copied);
      press.setText(done);
      clearTimeout(timer);
      timer = setTimeout(() => press.setText(text), 2000);
    } catch {
      field.value = copied;
      field.hidden = false;
      field.select();
    }
  }
  return { element: press.element, destroy: () => clearTimeout(timer) };
}

/** A text to copy by hand. */
export const copyField = (label, hidden = false) =>
  html("input", { type: "text", readonly: true, hidden, class: "bnlab-link", "aria-label": label });

/** What stands behind "Share": `link()` and `line()` give the texts of now. */
export function shareMenu({ link, line }) {
  const id = uniqueId("share");
  const toggle = button({ text: "Share", onClick: () => (panel.hidden ? open() : close()) });
  const field = copyField("line for slides or a page");
  const copy = copyButton({ text: "Copy iframe", done: "Copied", field, give: line });
  const code = html("div", { class: "bnlab-qr" });
  const panel = html("div", { id, class: "bnlab-share-panel", role: "group", "aria-label": "Share this state", hidden: true },
    code, html("p", {}, "This widget alone, for slides or a page:"), field, copy.element);
  const element = html("span", { class: "bnlab-share-menu" }, toggle.element, panel);
  toggle.element.setAttribute("aria-controls", id);
  toggle.element.setAttribute("aria-expanded", "false");

  function show(on) {
    panel.hidden = !on;
    toggle.element.setAttribute("aria-expanded", String(on));
    const listen = on ? "addEventListener" : "removeEventListener";
    document[listen]("pointerdown", outside);
  }
  async function open() {
    field.value = line();
    show(true);
    try {
      code.replaceChildren(await qrCode(link()));
    } catch (error) {
      code.textContent = error.message;
    }
  }
  function close() {
    if (!panel.hidden) toggle.element.focus();
    show(false);
  }
  function outside(event) { if (!element.contains(event.target)) show(false); }
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    event.stopPropagation();  // it would also leave full screen
    close();
  });
  const destroy = () => {
    show(false);
    copy.destroy();
  };
  return { element, destroy };
}

/** Dark on light in every theme, as a camera wants it. */
async function qrCode(text) {
  if (!globalThis.leanQr) await loadScript("lean-qr", "vendor/qr", "leanQr", "The QR code");
  const { generate, toSvgPath } = globalThis.leanQr, code = generate(text), side = code.size + 2 * QUIET;
  return svg("svg", {
    role: "img", "aria-label": "QR code of the link", "data-text": text, viewBox: `${-QUIET} ${-QUIET} ${side} ${side}`,
  }, svg("rect", { x: -QUIET, y: -QUIET, width: side, height: side, fill: "#fff" }),
  svg("path", { d: toSvgPath(code), fill: "#000", "shape-rendering": "crispEdges" }));
}
