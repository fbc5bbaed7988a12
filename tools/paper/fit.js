// Nothing is wider or higher than a page: what is, becomes smaller. It runs where the page is laid out
// as on paper, before it is printed; it returns what has become too small to be read.
(() => {
  "use strict";
  const WIDE = "table, mjx-container[display='true'], pre, .bnlab-widget, svg, img, .sd-card";
  const HIGH = "svg, img, figure:not(.long), .bnlab-widget";
  const SMALLEST = 0.6;  // of its size
  const PART = 0.9, OVERLAP = 45;  // of a page's height; points
  // What stays on one page if it is not higher than this part of it.
  const WHOLE = {
    "table, div.cell_input, div.highlight, pre, details, blockquote, .admonition": 0.2,
    ".bnlab-box, .sd-card": 0.45,
  };

  const inner = (box) => {
    const style = getComputedStyle(box);
    return box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  };
  const wideness = (one) => Math.max(one.scrollWidth ?? 0, one.getBoundingClientRect().width);
  const highness = (one) => one.getBoundingClientRect().height;

  /** Panels much higher than a page are cut, side by side, into parts that overlap by a line or two. */
  function cut(panels, height) {
    const whole = [...panels.querySelectorAll(":scope > svg")], parts = [];
    const { width: w, height: h } = whole[0].viewBox.baseVal;
    const part = (height * PART * w) / whole[0].getBoundingClientRect().width, step = part - OVERLAP;
    const words = panels.getAttribute("aria-label"), count = Math.ceil((h - OVERLAP) / step);
    for (let k = 0; k < count; k++) {
      for (const one of whole) {
        const copy = one.cloneNode(true);
        copy.setAttribute("viewBox", `0 ${k * step} ${w} ${Math.min(part, h - k * step)}`);
        copy.setAttribute("role", "img");
        copy.setAttribute("aria-label", `${words} Part ${k + 1} of ${count}.`);
        for (const size of ["width", "height"]) copy.removeAttribute(size);
        copy.style.width = "100%";
        parts.push(copy);
      }
    }
    for (const name of ["role", "aria-label"]) panels.removeAttribute(name);
    panels.replaceChildren(...parts);
    panels.closest("figure").classList.add("long");
  }

  globalThis.bnlabFit = ({ width, height }) => {
    const small = [];
    function shrink(one, share) {
      const zoom = Number(one.style.zoom || 1) * share, page = one.closest(".leaf")?.id;
      one.style.zoom = zoom;
      if (zoom < SMALLEST) small.push(`${page} ${one.localName}.${one.getAttribute("class")}: ${zoom.toFixed(2)}`);
    }
    for (const one of document.querySelectorAll(WIDE)) {
      const room = Math.min(width, inner(one.parentElement) || width);
      if (wideness(one) <= room + 1) continue;
      if (one.localName === "table" && wideness(one) * SMALLEST > room) one.classList.add("breaks");
      if (wideness(one) > room + 1) shrink(one, room / wideness(one));
    }
    for (const panels of document.querySelectorAll(".bnlab-panels")) {
      if (highness(panels.querySelector("svg")) * SMALLEST > height) cut(panels, height);
    }
    for (const one of document.querySelectorAll(HIGH)) {
      if (highness(one) > height) shrink(one, height / highness(one));
    }
    for (const [kind, part] of Object.entries(WHOLE)) {
      for (const one of document.querySelectorAll(kind)) one.classList.toggle("kept", highness(one) < part * height);
    }
    return small;
  };
})();
