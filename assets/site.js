// What the theme leaves to do for readers who use a keyboard or a screen reader.
(() => {
  "use strict";
  const SCROLLS = ".pst-scrollable-table-container, .cell_output div, .math, mjx-container, pre";

  // A box that can be scrolled sideways gets a tab stop, as long as it can.
  function reachable() {
    for (const box of document.querySelectorAll(SCROLLS)) {
      const hidden = box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto";
      if (hidden && !box.hasAttribute("tabindex")) box.dataset.scrolls = box.tabIndex = 0;
      if (!hidden && box.dataset.scrolls) {
        box.removeAttribute("tabindex");
        delete box.dataset.scrolls;
      }
    }
  }

  function start() {
    // A list must have list items; the bibliography's entries carry another role.
    for (const entry of document.querySelectorAll('[role="list"] > [role="doc-biblioentry"]')) {
      entry.setAttribute("role", "listitem");
    }
    reachable();
    globalThis.MathJax?.startup?.promise?.then(reachable);
    addEventListener("resize", reachable);
    addEventListener("toggle", reachable, { capture: true });
  }

  if (document.readyState === "complete") start();
  else addEventListener("load", start);
})();
