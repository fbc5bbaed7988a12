// "Repeat this verdict" under a verdict box: its widget comes with the first opening. Code and state
// are in _static/repeat, see tools/repeat_states.py.
(() => {
  "use strict";
  const FOLDS = "details.bnlab-repeat-here", SHARED = "shared";

  const loading = new Map();  // promises by name

  /** Loads _static/repeat/NAME.js, which puts an object of this name into bnlabRepeats. */
  function load(name) {
    if (!loading.has(name)) loading.set(name, add(name));
    return loading.get(name);
  }

  function add(name) {
    const root = document.documentElement.dataset.content_root ?? "./";
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${root}_static/repeat/${name}.js`;
      script.onload = resolve;
      script.onerror = () => {
        script.remove();
        loading.delete(name);
        reject(new Error(`${script.src} could not be loaded. Close this and open it again.`));
      };
      document.head.append(script);
    });
  }

  async function fill(fold) {
    const place = fold.querySelector(".bnlab-repeat-place"), name = fold.dataset.claim;
    if (fold.dataset.shown || !globalThis.bnlabShow) return;
    fold.dataset.shown = "yes";
    try {
      await Promise.all([load(SHARED), load(name)]);
      const { [SHARED]: shared, [name]: own } = globalThis.bnlabRepeats, widget = document.createElement("div");
      place.replaceChildren(widget);
      await globalThis.bnlabShow({ model_module: "anywidget", state: { ...shared, ...own } }, widget);
    } catch (error) {
      delete fold.dataset.shown;
      const told = document.createElement("p");
      told.setAttribute("role", "alert");
      told.textContent = error.message;
      place.replaceChildren(told);
    }
  }

  /** A link to a widget that is folded away opens it, and what it is folded away in. */
  function follow() {
    const named = /^#repeat-([\w-]+)/.exec(location.hash)?.[1];
    const fold = [...document.querySelectorAll(FOLDS)].find(({ dataset }) => dataset.claim.toLowerCase() === named);
    if (!fold) return;
    for (let one = fold; one; one = one.parentElement.closest("details")) one.open = true;
    if (!fold.dataset.shown) fold.scrollIntoView();
  }

  function start() {
    addEventListener("toggle", ({ target }) => { if (target.matches?.(FOLDS) && target.open) fill(target); }, { capture: true });
    addEventListener("hashchange", follow);
    follow();
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
