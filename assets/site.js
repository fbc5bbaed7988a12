// What the theme leaves to do: for keyboards and screen readers, for paper, for pages on a disk.
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

  // The theme chooses between light and dark at the end of a page only: until then a dark page is
  // white, and lines of code are lower than they will be.
  function chooseTheme() {
    const page = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    if (page.dataset.theme === "auto") page.dataset.theme = dark ? "dark" : "light";
  }

  /** A printed page is light, whatever the screen shows. */
  function printLight() {
    const page = document.documentElement;
    let shown = null;  // the theme to go back to
    function print(on) {
      if (on === (shown !== null)) return;
      if (on) shown = page.dataset.theme;
      page.dataset.theme = on ? "light" : shown;
      if (!on) shown = null;
    }
    // Not every browser tells both ways; a printed copy of a page is made after the first.
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
    matchMedia("print").addEventListener("change", ({ matches }) => print(matches));
  }

  // Pages read from a disk may not read each other: a search there finds pages, without summaries.
  function searchOnDisk() {
    if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
      DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
    }
  }

  function start() {
    // The book's name and the search belong to a landmark, as all else does.
    const sidebar = document.querySelector(".bd-sidebar-primary");
    sidebar?.setAttribute("role", "region");
    sidebar?.setAttribute("aria-label", "This book");
    // Without MathJax, formulas are shown as they are written.
    if (!globalThis.MathJax?.startup) document.documentElement.dataset.formulas = "raw";
    // A list must have list items; the bibliography's entries carry another role.
    for (const entry of document.querySelectorAll('[role="list"] > [role="doc-biblioentry"]')) {
      entry.setAttribute("role", "listitem");
    }
    reachable();
    globalThis.MathJax?.startup?.promise?.then(reachable);
    addEventListener("resize", reachable);
    addEventListener("toggle", reachable, { capture: true });
  }

  chooseTheme();
  printLight();
  searchOnDisk();
  if (document.readyState === "complete") start();
  else addEventListener("load", start);
})();
