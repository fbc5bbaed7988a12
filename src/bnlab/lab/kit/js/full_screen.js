// A widget that fills the screen: then it is a stage, and its controls fold away.

import { html } from "./elements.js";
import { button } from "./parts.js";

const ROOMY = 640;  // px, the height of a window that has room for controls
const LARGE = "bnlab-large", FOLDED = "bnlab-folded";

/**
 * Buttons that let `target`, which can have the focus, fill the screen (where the browser refuses: the window), and that bring
 * its controls back there, as the key c does. `onChange(isLarge, isFolded)` is called after each change. A widget
 * that is `alone` in its window, see share.js, fills that always; a small window has no room for controls.
 */
export function fullScreen(target, { onChange, alone = false }) {
  const toggle = button({ text: "Full screen", onClick: () => (full() ? leave() : enter()) });
  const fold = button({ text: "Controls", title: "key c", onClick: () => show(true, !folded()) });
  const element = html("div", { class: "bnlab-screen" }, fold.element, toggle.element);
  const large = () => target.classList.contains(LARGE), folded = () => target.classList.contains(FOLDED);
  const full = () => (alone ? document.fullscreenElement === target : large());
  fold.element.setAttribute("aria-keyshortcuts", "c");
  target.classList.toggle(LARGE, alone);
  toggle.element.hidden = alone && !document.fullscreenEnabled;

  function show(isLarge, isFolded) {
    const changed = large() !== isLarge;
    target.classList.toggle(LARGE, isLarge);
    target.classList.toggle(FOLDED, isFolded);
    toggle.setText(full() ? "Leave full screen" : "Full screen");
    fold.element.hidden = !isLarge;
    fold.element.setAttribute("aria-expanded", String(!isFolded));
    // JupyterLab has commands of its own for single keys, such as c.
    if (isLarge) target.dataset.lmSuppressShortcuts = "true";
    else delete target.dataset.lmSuppressShortcuts;
    onChange(isLarge, isFolded);
    if (changed) focus(isLarge ? target : toggle.element);
    else if (!document.activeElement?.checkVisibility()) focus(target);
  }
  // The focus is on the stage, so that Space does not press "Full screen" again.
  const focus = (element) => element.focus({ preventScroll: true });

  async function enter() {
    show(true, true);
    try { await target.requestFullscreen(); } catch { /* the class alone fills the window */ }
    if (large() && !target.contains(document.activeElement)) focus(target);
  }
  function leave() {
    show(alone, alone && folded());
    if (document.fullscreenElement === target) document.exitFullscreen();
  }
  const followBrowser = () => {
    if (alone) show(true, folded());
    else if (!document.fullscreenElement && large()) show(false, false);
  };
  function press(event) {
    if (!large()) return;
    const { key, ctrlKey, metaKey, altKey } = event;
    if (key === "Escape") leave();
    else if (key === "c" && !(ctrlKey || metaKey || altKey) && !writes(event.target)) show(true, !folded());
    else return;
    event.preventDefault();
  }
  document.addEventListener("fullscreenchange", followBrowser);
  target.addEventListener("keydown", press);
  function destroy() {
    document.removeEventListener("fullscreenchange", followBrowser);
    if (large()) leave();
  }
  show(alone, alone && innerHeight < ROOMY);
  return { element, destroy, get large() { return large(); }, get folded() { return folded(); } };
}

/** Whether a letter goes into this element. */
const writes = (element) =>
  element.matches("select, input:not([type=radio], [type=checkbox], [type=range], [type=number], [type=file])");

/** Train and the like stand at the end of the controls; in full screen at their top, or in the head. */
export function actionsPlacer(head, controls) {
  const actions = controls.querySelector(".bnlab-actions"), next = actions?.nextSibling;
  return (isLarge, isFolded) => {
    const focused = document.activeElement;
    if (!actions) return;
    if (isFolded) head.firstChild.after(actions);
    else if (isLarge) controls.prepend(actions);
    else controls.insertBefore(actions, next);
    if (actions.contains(focused)) focused.focus({ preventScroll: true });
  };
}
