// The box that asks for a prediction, and what a room answers.

import { html } from "./elements.js";
import { swatch } from "./looks.js";
import { choice } from "./parts.js";

const HINT = "In a lecture: let the room vote, pick its answer, press Reveal.";
const textOf = (item) => item.text ?? String(item);
const valueOf = (item) => item.value ?? item;

/**
 * Asks for a prediction before the outcome is shown, `items` as in `choice`. In full screen a number
 * stands beside each answer, for the hands of a room: the answer with most hands is picked. They are
 * kept until `forget`, and `told`, which belongs beside the outcome, says them. A guess is told to
 * the page, too, by the event "bnlab-guess": question, text of the answer, and `address()` of now.
 */
export function guessBox() {
  const body = html("div", {}), told = html("p", { class: "bnlab-told", hidden: true });
  const element = html("div", { class: "bnlab-guess", hidden: true }, body, html("p", { class: "bnlab-hint" }, HINT));
  let asked = "", answers = null, counts = [];

  const hands = () => counts.map(({ input }) => Number(input.value) || 0);

  function tell() {
    const found = hands();
    told.hidden = found.every((count) => count === 0);
    told.replaceChildren("The room: ", ...counts.map(({ item }, i) => html("span", { class: "bnlab-told-answer" },
      ...(item.swatchOf ? [swatch(item.swatchOf), " "] : []), `${textOf(item)} `, html("b", {}, String(found[i])))));
  }

  function counter(item, onGuess) {
    const input = html("input", {
      type: "number", class: "bnlab-hands", min: 0, max: 999, value: 0, "aria-label": `hands for ${textOf(item)}`,
      oninput: () => {
        const found = hands(), most = Math.max(...found);
        tell();
        if (most > 0) onGuess(valueOf(counts[found.indexOf(most)].item));
      },
    });
    return { item, input };
  }

  function build(question, items, onGuess, address) {
    const guessed = (value) => {
      const text = textOf(items.find((item) => valueOf(item) === value)), detail = { question, text, address: address() };
      element.dispatchEvent(new CustomEvent("bnlab-guess", { bubbles: true, detail }));
      onGuess(value);
    };
    answers = choice({ label: question, items, onChange: guessed });
    counts = items.map((item) => counter(item, guessed));
    answers.element.querySelectorAll(".bnlab-option").forEach((option, i) => {
      const ballot = html("span", { class: "bnlab-ballot" });
      option.replaceWith(ballot);
      ballot.append(option, counts[i].input);
    });
    body.replaceChildren(answers.element);
    tell();
  }

  return {
    element, told,
    ask(question, items, value, onGuess, address) {
      const now = JSON.stringify([question, items]);
      if (now !== asked) build(question, items, onGuess, address);
      asked = now;
      answers.set(value);
      element.hidden = false;
    },
    close() { element.hidden = true; },
    forget() {
      for (const { input } of counts) input.value = 0;
      tell();
    },
  };
}
