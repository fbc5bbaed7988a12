// One out of many: a menu with groups, short enough for a phone.

import { html, uniqueId } from "../kit/js/elements.js";

/** `groups` are {label, items}, items {value, text}. */
export function menu({ label, groups, value, onChange }) {
  const id = uniqueId("menu");
  const select = html("select", { id, class: "bnlab-menu", onchange: () => onChange(select.value) },
    ...groups.map((group) => html("optgroup", { label: group.label },
      ...group.items.map((item) => html("option", { value: item.value }, item.text)))));
  select.dataset.lmSuppressShortcuts = "true";  // or JupyterLab takes the arrow keys away
  const set = (next) => { select.value = next; };
  set(value);
  const caption = html("label", { for: id, class: "bnlab-caption" }, label);
  return { element: html("div", { class: "bnlab-control" }, caption, select), set };
}
