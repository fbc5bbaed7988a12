// The verdict as a small file, written and read again.

import { html } from "../kit/js/elements.js";
import { button } from "../kit/js/parts.js";
import { readVerdict, saidOtherwise, writeVerdict } from "./verdict_file.js";

const KEPT_URL = 10_000;  // ms
const LARGEST_FILE = 1e5;  // bytes, more than any verdict has

const OF_EVIDENCE = "Saved: the numbers of the evidence, as not all of its trainings are done here.";

/**
 * Two buttons. `current()` is what a file holds, or null; `open(file)` takes one in and gives what is
 * decided by it, or null; `say(text)` tells the reader.
 */
export function fileButtons({ options, current, say, open }) {
  const { claim } = options;
  const save = button({ text: "Save result", onClick: write });
  const input = html("input", { type: "file", accept: ".json", class: "bnlab-file", "aria-label": "Open a result", onchange: read });
  const element = html("label", { class: "bnlab-button bnlab-file-face" }, "Open a result", input);

  function write() {
    const held = current();
    if (!held) { say("There is no whole verdict yet that could be saved."); return; }
    const address = URL.createObjectURL(new Blob([writeVerdict(claim, held)], { type: "application/json" }));
    html("a", { href: address, download: `${claim.id}-verdict.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), KEPT_URL);
    say(held.isOfEvidence ? OF_EVIDENCE : "");
  }
  async function read() {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    try {
      if (file.size > LARGEST_FILE) throw new Error("The file is too large to be a verdict of this page.");
      const held = readVerdict(await file.text(), options), decided = await open(held);
      if (decided) say(saidOtherwise(held, decided));
    } catch (error) { say(error.message); }
  }
  return { elements: [save.element, element] };
}
