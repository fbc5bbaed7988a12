// Notes on exercises, and guesses before an outcome, stay in this browser: no cookie, no request.
// A widget tells a guess by the event "bnlab-guess", see guess_box.js.
(() => {
  "use strict";
  const PREFIX = "bnlab-kept:";
  const FILE = "normalization-lab-notes.md";
  const REFUSED = "This browser did not keep it, because its storage is full or forbidden. " +
    "It stays here until you leave the page: Export, below, saves it in a file.";
  const NUMBERED = /^(\d+)\./;
  const WIDGETS = 'script[type="application/vnd.jupyter.widget-view+json"]';

  const path = decodeURIComponent(location.pathname).replace(/\.html$/, "");
  const page = path.split(path.includes("/book/") ? "/book/" : "/").pop();

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // ---- what is kept: an entry each, so that two tabs do not write over one another ----

  const unsaved = new Map();  // what the storage has refused; null: to be forgotten

  /** Whether the storage took it; else it is known until the page is closed. */
  function keep(key, entry) {
    const name = PREFIX + key;
    try {
      if (entry) localStorage.setItem(name, JSON.stringify(entry));
      else localStorage.removeItem(name);
      unsaved.delete(name);
      return true;
    } catch {
      unsaved.set(name, entry);
      return false;
    }
  }

  function read(text) {
    try {
      const entry = JSON.parse(text);
      return typeof entry?.text === "string" && typeof entry.page === "string" ? entry : null;
    } catch {
      return null;  // damaged, or of somebody else
    }
  }

  function stored() {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
    } catch {
      return [];
    }
  }

  /** All entries by their names, in the order of the pages. */
  function kept() {
    const found = new Map(stored().map((name) => [name, read(localStorage.getItem(name))]));
    for (const [name, entry] of unsaved) found.set(name, entry);
    return new Map([...found].filter(([, entry]) => entry).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  function forgetAll() {
    for (const name of stored()) localStorage.removeItem(name);
    unsaved.clear();
  }

  const today = () => new Date().toISOString().slice(0, 10);

  // ---- notes ----

  const fields = new Map();  // of the notes, by key

  function noteField(number) {
    const key = `${page}:note:${number}`, id = `note-${number}`;
    const area = make("textarea", { id, rows: 2, placeholder: " " });
    const status = make("p", { role: "status" });
    area.addEventListener("input", () => {
      const text = area.value;
      const done = keep(key, text ? { page, exercise: number, text, when: today() } : null);
      status.textContent = done ? "" : REFUSED;
      tell();
    });
    fields.set(key, { area, status });
    return make("div", { class: "bnlab-note-field" },
      make("label", { for: id }, `Your note on exercise ${number}`), area, status);
  }

  /** Below each numbered exercise, before its solution. */
  function addFields() {
    for (const strong of document.querySelectorAll("section#exercises > p > strong:first-child")) {
      const number = strong.textContent.match(NUMBERED)?.[1];
      if (!number) continue;
      let last = strong.parentElement;
      while (last.nextElementSibling && !last.nextElementSibling.matches("details, p:has(> strong:first-child)")) {
        last = last.nextElementSibling;
      }
      last.after(noteField(number));
    }
  }

  function fill() {
    const all = kept();
    for (const [key, { area, status }] of fields) {
      if (area === document.activeElement) continue;
      area.value = all.get(PREFIX + key)?.text ?? "";
      status.textContent = unsaved.has(PREFIX + key) ? REFUSED : "";
    }
  }

  // ---- the line at the foot ----

  const counts = make("span", {}), status = make("span", { role: "status" });
  const exporter = make("button", { type: "button" }, "Export");
  const forgetter = make("button", { type: "button" }, "Forget");

  function count(number, word, more) {
    return number ? [`${number} ${number === 1 ? word : more}`] : [];
  }

  function tell() {
    const all = [...kept().values()], guesses = all.filter(({ question }) => question).length;
    const parts = [...count(all.length - guesses, "note", "notes"), ...count(guesses, "guess", "guesses")];
    counts.textContent = parts.length ? ` (${parts.join(", ")})` : "";
    exporter.disabled = forgetter.disabled = !all.length;
    calm();
  }

  function asText() {
    const lines = ["# The Normalization Lab: notes and guesses"];
    let last = null;
    for (const entry of kept().values()) {
      if (entry.page !== last) lines.push(`## ${entry.page}`);
      last = entry.page;
      const { exercise, question, address, text, when } = entry;
      lines.push(question ? `**Guess** (${when}, ${address}): ${question} ${text}` : `**Exercise ${exercise}** (${when})`);
      if (!question) lines.push(text);
    }
    return `${lines.join("\n\n")}\n`;
  }

  function save() {
    const address = URL.createObjectURL(new Blob([asText()], { type: "text/markdown" }));
    make("a", { href: address, download: FILE }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  /** A second press is asked for: what is forgotten does not come back. */
  function forget() {
    if (!forgetter.dataset.asked) {
      forgetter.dataset.asked = "yes";
      forgetter.textContent = "Forget all of them, for ever";
      return;
    }
    forgetAll();
    document.activeElement?.blur();
    fill();
    tell();
    status.textContent = " Forgotten.";
  }

  function calm() {
    delete forgetter.dataset.asked;
    forgetter.textContent = "Forget";
    status.textContent = "";
  }

  function addLine() {
    exporter.addEventListener("click", save);
    forgetter.addEventListener("click", forget);
    forgetter.addEventListener("blur", () => forgetter.dataset.asked && calm());
    document.querySelector(".bd-article")?.append(make("div", { class: "bnlab-keeping" },
      "Your notes and guesses stay in this browser", counts, ". ", exporter, " · ", forgetter, status));
  }

  /** The newest guess in a setting of a widget is kept. */
  function heard({ detail: { question, text, address } }) {
    const entry = { page, question, text, address: `#${address}`, when: today() };
    const done = keep(`${page}:guess:${address}:${question}`, entry);
    tell();
    if (!done) status.textContent = ` ${REFUSED}`;
  }

  function start() {
    addFields();
    fill();
    if (!fields.size && !document.querySelector(WIDGETS) && !kept().size) return;
    addLine();
    tell();
    document.addEventListener("bnlab-guess", heard);
    addEventListener("storage", () => {
      fill();
      tell();
    });
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
