// In the document that has all pages: links from page to page lead into it, others to the published
// site, `home`; without one, their words stay. Below each widget stands where it is live.
(() => {
  "use strict";

  /** Where an address of the site is now: in the document, on the published site, or nowhere. */
  function placeOf(url, { origin, leaves, home }) {
    if (!url.startsWith(origin)) return url;
    const [path, name = ""] = url.slice(origin.length).split("#", 2), leaf = leaves[path];
    if (leaf && !name.includes("?")) {
      const own = `${leaf}-${decodeURIComponent(name)}`;
      return `#${document.getElementById(own) ? own : leaf}`;
    }
    return home && home + url.slice(origin.length);
  }

  function live(widget, path, home) {
    const place = `${home ?? ""}${path}#${widget.dataset.name}`, line = document.createElement("p");
    const words = document.createElement(home ? "a" : "code");
    words.textContent = place;
    if (home) words.href = place;
    line.className = "paper-link";
    line.append("Live on the site: ", words);
    widget.after(line);
  }

  globalThis.bnlabBind = (book) => {
    for (const link of document.querySelectorAll(".leaf a[href]")) {
      const place = placeOf(link.href, book);
      if (place) link.setAttribute("href", place);
      else link.removeAttribute("href");
    }
    for (const [path, leaf] of Object.entries(book.leaves)) {
      const widgets = document.getElementById(leaf).querySelectorAll(".bnlab-widget");
      for (const widget of widgets) live(widget, path, book.home);
    }
  };
})();
