// The state of a widget in the address of the page: #race?lr=0.3&batch_size=64&...

import { html, throttle } from "./elements.js";
import { button } from "./parts.js";

const WAIT = 400;  // ms between two changes of the address; Chromium allows 200 in 30 s
const taken = (globalThis.bnlabLinks ??= new Set());  // two widgets of a page need two names

/**
 * `parse(query)` turns URLSearchParams into {state, problems}; `write()` gives the query of now.
 * `onState(state, problems)` is called when the address names this widget: at `begin` and later.
 * Away from the site there is no address to share, so nothing is read, written or shown.
 */
export function addressLink({ site, name, parse, write, onState }) {
  if (!site) return { element: html("span", { hidden: true }), begin() {}, save() {}, destroy() {} };
  let own = name;
  for (let number = 2; taken.has(own); number++) own = `${name}-${number}`;
  taken.add(own);

  const put = throttle(() => {
    try { history.replaceState(history.state, "", `#${own}?${write()}`); } catch { /* a limit */ }
  }, WAIT);
  const save = () => put();

  function read() {
    const [stem, query = ""] = location.hash.slice(1).split("?", 2);
    if (stem !== own) return;
    const { state, problems } = parse(new URLSearchParams(query));
    onState(query ? state : null, problems);
  }

  async function copy() {
    put.cancel();
    const address = `${location.href.split("#")[0]}#${own}?${write()}`;
    try {
      await navigator.clipboard.writeText(address);
      say("Link copied");
    } catch {
      field.value = address;
      field.hidden = false;
      field.select();
    }
  }
  const press = button({ text: "Copy link", onClick: copy });
  const field = html("input", { type: "text", readonly: true, hidden: true, class: "bnlab-link", "aria-label": "link to this state" });
  const element = html("span", { class: "bnlab-share" }, press.element, field);
  let timer = 0;
  function say(text) {
    press.setText(text);
    clearTimeout(timer);
    timer = setTimeout(() => press.setText("Copy link"), 2000);
  }

  addEventListener("hashchange", read);
  function destroy() {
    taken.delete(own);
    put.cancel();
    clearTimeout(timer);
    removeEventListener("hashchange", read);
  }
  return { element, begin: read, save, destroy };
}
