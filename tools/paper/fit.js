// Nothing is wider or higher than a page: what is, becomes smaller. It runs where the page is laid out
// as on paper, before it is printed; it returns what would have to become unreadable.
(() => {
  "use strict";
  const WIDE = "table, mjx-container[display='true'], pre, .bnlab-widget, svg, img, .sd-card";
  const HIGH = "svg, img, figure, .bnlab-widget, .bnlab-figure";
  const SMALLEST = 0.6;  // of its size
  // What stays on one page if it is not higher than this part of a page.
  const WHOLE = { "table, pre, details, blockquote, .admonition": 0.2, ".bnlab-box, .sd-card, .bnlab-findings": 0.45 };

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
    for (const [kind, part] of Object.entries(WHOLE)) {
      for (const one of document.querySelectorAll(kind)) {
        one.classList.toggle("kept", one.getBoundingClientRect().height < part * height);
      }
    }
    return small;
  };
})();
