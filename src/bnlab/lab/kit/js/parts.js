// The parts that every widget of the book is made of. Each maker returns an object with `element`
// and the few methods that its users need; `destroy` where a part listens beyond its own element.

import { html, throttle, uniqueId } from "./elements.js";
import { swatch } from "./looks.js";

const plain = (value) => String(value);

/** A slider over a list of stops. `show` writes a stop with its unit. */
export function slider({ label, values, value, show = plain, onInput }) {
  const id = uniqueId("slider");
  const output = html("output", { for: id, class: "bnlab-value" });
  const input = html("input", {
    id, type: "range", min: 0, max: values.length - 1, step: 1, class: "bnlab-slider",
    oninput: () => { refresh(); onInput(values[input.value]); },
  });
  function refresh() {
    const text = show(values[input.value]);
    if (output.textContent === text) return;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }
  function set(next) {
    const at = values.indexOf(next);
    if (at < 0) throw new RangeError(`${label}: ${next} is not a stop of the slider`);
    input.value = at;
    refresh();
  }
  set(value);
  const caption = html("span", { class: "bnlab-caption" },
    html("label", { for: id }, label), " ", output);
  return { element: html("div", { class: "bnlab-control bnlab-wide" }, caption, input), set };
}

function option(type, group, { value, text, swatchOf, checked, reason }, onchange) {
  const input = html("input", {
    type, name: group, value, checked, onchange,
    "aria-disabled": reason ? "true" : null, "aria-describedby": reason ? `${group}-why` : null,
  });
  const face = html("span", { class: "bnlab-face" });
  if (swatchOf) face.append(swatch(swatchOf), " ");
  face.append(text);
  return { input, element: html("label", { class: "bnlab-option" }, input, face) };
}

function optionGroup(label, options, ...after) {
  return html("fieldset", { class: "bnlab-control" }, html("legend", { class: "bnlab-caption" }, label),
    html("div", { class: "bnlab-options" }, ...options.map((one) => one.element)), ...after);
}

/** One out of a few: `items` are values or {value, text, swatchOf}. */
export function choice({ label, items, value = null, onChange }) {
  const group = uniqueId("choice");
  const all = items.map((item) => (typeof item === "object" ? item : { value: item, text: item }));
  const options = all.map((item) => option("radio", group, item, () => onChange(item.value)));
  const set = (next) => options.forEach((one, i) => { one.input.checked = all[i].value === next; });
  set(value);
  return { element: optionGroup(label, options), set };
}

/**
 * Several out of a few. `items` are {value, text, swatchOf, reason}; an item with a reason cannot
 * be chosen but keeps its place in the tab order, so that the reason can be heard too.
 */
export function toggles({ label, items, chosen, atLeast = 1, atMost = 5, onChange, onRefuse }) {
  const group = uniqueId("toggles");
  const options = items.map((item) => option("checkbox", group, item, (event) => change(item, event)));
  const current = () => items.filter((_, i) => options[i].input.checked).map((item) => item.value);
  function change(item, event) {
    const count = current().length;
    if (!item.reason && count >= atLeast && count <= atMost) return onChange(current());
    event.target.checked = !event.target.checked;
    onRefuse(item.reason ? `${item.text} ${item.reason}`
      : count < atLeast ? `at least ${atLeast} must stay chosen` : `at most ${atMost} can be chosen`);
  }
  const set = (values) =>
    options.forEach((one, i) => { one.input.checked = values.includes(items[i].value); });
  set(chosen);
  const reasons = items.filter((item) => item.reason).map((item) => `${item.text}: ${item.reason}`);
  const why = html("span", { id: `${group}-why`, class: "bnlab-why" }, reasons.join("; "));
  return { element: optionGroup(label, options, ...(reasons.length ? [why] : [])), set };
}

export function checkbox({ label, value, onChange }) {
  const input = html("input", { type: "checkbox", onchange: () => onChange(input.checked) });
  const element = html("label", { class: "bnlab-check" }, input, " ", label);
  const set = (next) => { input.checked = next; };
  set(value);
  return { element, set };
}

/** A button that stays in the tab order while it is off; pressed then, it can say why it is. */
export function button({ text, kind = "", title = null, onClick, onRefuse = null }) {
  const element = html("button", {
    type: "button", class: `bnlab-button ${kind}`, title,
    onclick: () => (element.getAttribute("aria-disabled") === "true" ? onRefuse : onClick)?.(),
  }, text);
  return {
    element,
    setText(next) { if (element.textContent !== next) element.textContent = next; },
    enable(on) { element.setAttribute("aria-disabled", String(!on)); },
  };
}

/** Says which engine computes. */
export function badge() {
  const element = html("span", { class: "bnlab-badge" });
  return { element, set(text) { if (element.textContent !== text) element.textContent = text; } };
}

/** Text that a screen reader reads when it changes, at most every `wait` ms. */
export function liveText({ kind, wait = 1500 }) {
  const element = html("p", { class: kind, "aria-live": "polite" });
  const set = (text) => { if (element.textContent !== text) element.textContent = text; };
  const soon = throttle(set, wait);
  return { element, soon, now(text) { soon.cancel(); set(text); }, destroy: soon.cancel };
}

// ---- guess box ---------------------------------------------------------------------------------

/** Asks for a prediction before the outcome is shown. `items` as in `choice`. */
export function guessBox({ hint }) {
  const body = html("div", {});
  let asked = "", answers = null;
  const element = html("div", { class: "bnlab-guess", hidden: true },
    body, html("p", { class: "bnlab-hint" }, hint));
  return {
    element,
    ask(question, items, value, onGuess) {
      const now = JSON.stringify([question, items]);
      if (now !== asked) {
        answers = choice({ label: question, items, onChange: onGuess });
        body.replaceChildren(answers.element);
        asked = now;
      }
      answers.set(value);
      element.hidden = false;
    },
    close() { element.hidden = true; },
  };
}
