// The seeds and margins of a reader in an address. No drawing here.

import { ownMargins, withMargins } from "./margins.js";
import { whyNotSeeds } from "./repeat_rows.js";

const SEEDS = "seeds";  // no part of a claim is called so

/** `seeds=5000&after_2=0.01`: the first fresh seed, and the reader's margins by part. */
export function writeRepeat({ start, margins }) {
  const own = Object.entries(margins).map(([name, margin]) => `${name}=${margin}`);
  return [`${SEEDS}=${start ?? "evidence"}`, ...own].join("&");
}

/** What of a query makes sense, and a sentence for each value that does not. */
export function parseRepeat(query, options) {
  const state = { start: null, margins: {} }, problems = [];
  for (const [key, text] of query) {
    const number = text.trim() === "" ? NaN : Number(text);
    if (key === SEEDS) {
      const why = text === "evidence" ? "" : whyNotSeeds(options, number);
      if (why) problems.push(`${SEEDS}=${text}: ${why}`);
      else if (text !== "evidence") state.start = number;
    } else takeMargin(key, text, number);
  }
  state.margins = ownMargins(options.claim, state.margins);
  return { state, problems };

  function takeMargin(key, text, number) {
    try {
      if (!Number.isFinite(number)) throw new Error("it is no number");
      withMargins(options.claim, { [key]: number });
      state.margins[key] = number;
    } catch (error) { problems.push(`${key}=${text}: ${error.message.replace(/\.$/, "")}`); }
  }
}
