// The state of a widget in the address of the page: #race?lr=0.3&batch_size=64&...

import { html, throttle } from "./elements.js";
import { addressOf, copyButton, copyField, embeddedName, frameLine, shareMenu } from "./share.js";

const WAIT = 400;  // ms between two changes of the address; Chromium allows 200 in 30 s
const taken = (globalThis.bnlabLinks ??= new Set());  // two widgets of a page need two names

/**
 * `parse(query)` turns URLSearchParams into {state, problems}; `write()` gives the query of now.
 * `onState(state, problems)` is called when a link names this widget: when the page is opened, and
 * later; `onScene(number)` for a link to a scene of it, #race?scene=2. `near(link)` tells whether a
 * link of the document is meant for this widget; `title()` is its title. What it gives has the `name` in its
 * links, and `alone`: whether the page shows this widget only, see embeddedName. Away from the site there is no address to share:
 * nothing is written or shown, but the links are heard.
 */
export function addressLink({ site, name, parse, write, onState, onScene, near, title }) {
  let own = name;
  for (let number = 2; site && taken.has(own); number++) own = `${name}-${number}`;
  if (site) taken.add(own);

  function follow(hash) {
    const [stem, text = ""] = hash.slice(1).split("?", 2), query = new URLSearchParams(text);
    if (stem !== own) return;
    if (query.has("scene")) { onScene(query.get("scene")); return; }
    const { state, problems } = parse(query);
    onState(text ? state : null, problems);
  }

  /** A link that is clicked: on the site the address follows, unless it is there already. */
  function click(event) {
    const link = event.target.closest?.("a[href]"), hash = link?.getAttribute("href") ?? "";
    if (!hash.startsWith(`#${own}?`) || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (site ? location.hash !== hash : !near(link)) return;
    event.preventDefault();
    follow(hash);
  }
  document.addEventListener("click", click, { capture: true });
  const deafen = () => document.removeEventListener("click", click, { capture: true });
  if (!site) return { element: html("span", { hidden: true }), begin() {}, save() {}, destroy: deafen, alone: false, name: own };

  const put = throttle(() => {
    try { history.replaceState(history.state, "", `#${own}?${write()}`); } catch { /* a limit */ }
  }, WAIT);
  const save = () => put();

  const read = () => follow(location.hash);

  /** The address of now; one that waits to be written would follow the copied one. */
  function now() {
    put.cancel();
    return addressOf(own, write());
  }
  const field = copyField("link to this state", true);
  const copy = copyButton({ text: "Copy link", done: "Link copied", field, give: now });
  const share = shareMenu({ link: now, line: () => frameLine(addressOf(own, write(), true), title()) });
  const element = html("span", { class: "bnlab-share" }, copy.element, field, share.element);

  addEventListener("hashchange", read);
  function destroy() {
    taken.delete(own);
    put.cancel();
    copy.destroy();
    share.destroy();
    deafen();
    removeEventListener("hashchange", read);
  }
  return { element, begin: read, save, destroy, alone: embeddedName() === own, name: own };
}
