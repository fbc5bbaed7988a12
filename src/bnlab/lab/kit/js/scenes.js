// The scenes of a demonstration in full screen: a strip 1 2 3 with the question of the scene that is
// shown, and the keys of a presenter: PageDown, PageUp, Space.

import { html } from "./elements.js";
import { button } from "./parts.js";

const TURNS = { PageDown: 1, PageUp: -1 };
const PRESSED_BY_SPACE = 'button, summary, a, input:not([type="range"], [type="radio"]:checked), textarea';

/** Two states have the same values of these keys. */
const alike = (one, other, keys) => keys.every((key) => JSON.stringify(one[key]) === JSON.stringify(other[key]));

/** Presses the button of a widget that trains or reveals. */
export function pressMain(root) {
  const main = root.querySelector(".bnlab-main");
  if (main && !main.hidden) main.click();
}

/** The strip of a widget; its options.scenes are {label, ask, says, state}, the state being complete. */
export function sceneStrip(widget) {
  const scenes = widget.options.scenes ?? [], isLarge = () => widget.screen.large;
  let number = null;  // of the last scene that was put on the stage, from 0
  const marks = scenes.map(({ label, ask }, at) => button({
    text: `${at + 1}`, kind: "bnlab-scene", title: `${label}: ${ask}`, onClick: () => play(at),
  }));
  marks.forEach((mark, at) => mark.element.setAttribute("aria-label", `Scene ${at + 1}: ${scenes[at].label}`));
  const words = html("p", { class: "bnlab-scene-words", "aria-live": "polite" });
  const element = html("div", { class: "bnlab-scenes", role: "group", "aria-label": "Scenes", hidden: !scenes.length },
    html("div", { class: "bnlab-scene-marks" }, ...marks.map((mark) => mark.element)), words);

  function play(at) {
    if (!scenes[at]) return false;
    number = at;
    widget.stage(scenes[at].state);
    widget.link.save();
    return true;
  }

  /** The question while `state` is the scene's own, or what is seen if it has `run`; else nothing. */
  function show(state, keys, run) {
    const scene = scenes[number], own = scene && alike(state, scene.state, keys);
    marks.forEach(({ element: mark }, at) => mark.setAttribute("aria-current", at === number ? "step" : "false"));
    const text = !own ? "" : run ? scene.says : scene.ask;
    if (words.textContent !== text) words.textContent = text;
  }

  function hear(event) {
    if (!isLarge() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (TURNS[event.key] && scenes.length) play(number === null ? 0 : number + TURNS[event.key]);
    else if (event.key === " " && !event.target.closest?.(PRESSED_BY_SPACE)) widget.act();
    else return;
    event.preventDefault();
  }
  document.addEventListener("keydown", hear);
  return { element, play, show, destroy: () => document.removeEventListener("keydown", hear) };
}
