// A page of the site as it goes on paper: its article as HTML, in which every name (id) has the
// number of the page before it and every link is absolute, and the styles that its formulas and
// widgets have brought along. tools/pdf.py puts the pages together.
(() => {
  "use strict";
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const REFERRING = ["for", "aria-labelledby", "aria-describedby", "aria-controls", "list"];
  const QUIET = 700, PATIENCE = 30_000;  // ms without a change; ms until what still moves is taken as it is
  const DRAWN = 300_000;  // ms in which all widgets must be there
  // What can only be pressed or filled in.
  const USELESS = [
    "script", ".headerlink", ".copybtn", "button.toggle-button", "details.hide:not(.below-input)",
    ".bnlab-keeping", ".bnlab-note-field", ".bnlab-repeat-here",
    ".bnlab-share", ".bnlab-badge", ".bnlab-note", ".bnlab-actions",
    ".bnlab-take", ".bnlab-scenes", ".bnlab-head .bnlab-button", ".bnlab-head .bnlab-menu", "[hidden]",
  ].join(",");

  const wait = (time) => new Promise((done) => setTimeout(done, time));

  /** Formulas are set, widgets are drawn, and nothing moves any more. */
  async function settled() {
    await globalThis.MathJax?.startup?.promise;
    await document.fonts.ready;
    const begun = performance.now(), many = (selector) => document.querySelectorAll(selector).length;
    let last = begun;
    const watch = new MutationObserver(() => { last = performance.now(); });
    watch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    const isDrawn = () => many(VIEW) <= many("section.bnlab, .bnlab-widget-error"), since = (time) => performance.now() - time;
    while (!isDrawn() && since(begun) < DRAWN) await wait(100);
    while (since(last) < QUIET && since(begun) < PATIENCE) await wait(100);
    watch.disconnect();
    const wrong = document.querySelector(".bnlab-widget-error")?.textContent;
    if (wrong || !isDrawn()) throw new Error(wrong ?? "a widget was not drawn.");
  }

  /** A widget that waits to be asked, or for a guess, shows its first state: nobody can press it later. */
  function begin() {
    for (const widget of document.querySelectorAll("section.bnlab")) {
      for (const one of widget.querySelectorAll(".bnlab-check")) {
        const box = one.querySelector("input");
        if (one.textContent.trim() === "Predict first" && box.checked) box.click();
      }
      if (!widget.querySelector(".bnlab-headline")?.textContent) widget.querySelector(".bnlab-main")?.click();
    }
  }

  /** The names of the page's widgets in links, in their order, as link.js gives them. */
  function widgetNames() {
    const states = JSON.parse(document.querySelector(STATE)?.textContent ?? '{"state":{}}').state;
    const taken = new Set();
    return [...document.querySelectorAll(VIEW)].map((script) => {
      const options = states[JSON.parse(script.textContent).model_id].state.options ?? {};
      const name = options.name ?? options.replay;
      let own = name;
      for (let number = 2; taken.has(own); number++) own = `${name}-${number}`;
      taken.add(own);
      return own;
    });
  }

  /** What a copy of an element does not have: what was filled in, and what was painted. */
  function keepState(from, to) {
    const copies = to.querySelectorAll("*");
    from.querySelectorAll("*").forEach((one, i) => {
      const copy = copies[i];
      if (one.localName === "canvas") {
        const picture = document.createElement("img");
        picture.src = one.toDataURL();
        picture.className = one.className;
        picture.alt = one.getAttribute("aria-label") ?? "";
        copy.replaceWith(picture);
      } else if (one.localName === "input") {
        copy.setAttribute("value", one.value);
        copy.toggleAttribute("checked", one.checked);
      } else if (one.localName === "option") copy.toggleAttribute("selected", one.selected);
    });
  }

  /** In the cells of a table only what is seen before anything is opened: the rest would fill a hundred pages. */
  function shorten(article) {
    for (const one of article.querySelectorAll(":is(td, th) details")) {
      const seen = one.querySelector("summary");
      if (/^More on /.test(seen.textContent)) one.remove();
      else one.replaceWith(...seen.childNodes);
    }
  }

  function rename(article, own) {
    const name = (id) => `${own}-${id}`;
    for (const one of [article, ...article.querySelectorAll("*")]) {
      if (one.id) one.id = name(one.id);
      if (one.name && one.localName === "input") one.setAttribute("name", name(one.name));  // radio groups
      for (const attribute of [...one.attributes]) {
        const { value } = attribute;
        if (REFERRING.includes(attribute.name)) attribute.value = value.split(/\s+/).map(name).join(" ");
        else if (value.includes("url(#")) attribute.value = value.replaceAll(/url\(#/g, `url(#${own}-`);
        else if (one.localName === "use") attribute.value = value.replace(/^#/, `#${own}-`);
      }
    }
  }

  /** Styles in the head of the page; MathJax writes a rule for each sign that it needs. */
  const styles = () => [...document.querySelectorAll("head style")].flatMap((one) =>
    one.id.startsWith("MJX") ? [...one.sheet.cssRules].map((rule) => rule.cssText) : [one.textContent]);

  globalThis.bnlabLeaf = async (own) => {
    const article = document.querySelector("article.bd-article"), names = widgetNames();
    document.body.replaceChildren(article);  // it has the width of the paper
    await settled();
    begin();
    await settled();
    const copy = article.cloneNode(true);
    keepState(article, copy);
    copy.querySelectorAll(".bnlab-widget").forEach((one, i) => one.setAttribute("data-name", names[i]));
    shorten(copy);
    copy.querySelectorAll(USELESS).forEach((one) => one.remove());
    copy.querySelectorAll("details").forEach((one) => { one.open = true; });
    for (const one of copy.querySelectorAll("a[href]")) one.setAttribute("href", one.href);
    for (const one of copy.querySelectorAll("img[src]")) one.setAttribute("src", one.src);
    rename(copy, own);
    const title = copy.querySelector("h1").textContent.trim();
    return { html: copy.innerHTML, styles: styles(), title };
  };
})();
