// Nothing is wider or higher than a page: what is, becomes smaller. It runs where the page is laid out
// as on paper, before it is printed; it returns what would have to become unreadable.
(() => {
  "use strict";
  const WIDE = "table, mjx-container[display='true'], pre, .bnlab-widget, svg, img, .sd-card";
  const HIGH = "svg, img, figure, .bnlab-widget, .bnlab-figure";
  const BROKEN = "table, pre, details, blockquote, .admonition, .bnlab-box, .cell, .sd-card";
  const SMALLEST = 0.6, SHORT = 0.3;  // of its size; of a page

  const wideness = (one) => Math.max(one.scrollWidth ?? 0, one.getBoundingClientRect().width);

  const inner = (box) => {
    const style = getComputedStyle(box);
    return box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  };

  function shrink(one, share) {
    const zoom = Number(one.style.zoom || 1) * share;
    one.style.zoom = zoom;
    return zoom;
  }

  globalThis.bnlabFit = ({ width, height }) => {
    const small = [];
    const note = (one, zoom) => {
      if (zoom < SMALLEST) small.push(`${one.closest(".leaf")?.id} ${one.localName}.${one.getAttribute("class")}: ${zoom.toFixed(2)}`);
    };
    for (const one of document.querySelectorAll(WIDE)) {
      const room = Math.min(width, inner(one.parentElement) || width);
      if (wideness(one) <= room + 1) continue;
      if (one.localName === "table" && wideness(one) * SMALLEST > room) one.classList.add("breaks");
      if (wideness(one) > room + 1) note(one, shrink(one, room / wideness(one)));
    }
    for (const one of document.querySelectorAll(HIGH)) {
      const high = one.getBoundingClientRect().height;
      if (high > height) note(one, shrink(one, height / high));
    }
    // What is short stays on one page; what is long begins where there is room.
    for (const one of document.querySelectorAll(BROKEN)) {
      one.classList.toggle("kept", one.getBoundingClientRect().height < SHORT * height);
    }
    return small;
  };
})();
