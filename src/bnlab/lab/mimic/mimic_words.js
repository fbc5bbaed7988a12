// The state of Mimic, which untrained nets it shows, and the words for them. No drawing here.

import { writeQuery } from "../kit/js/link_state.js";
import { ranking, shortHeadline, two } from "../kit/js/short_headline.js";
import { STYLE } from "../kit/js/style.js";

const LEVEL_WITHIN = 1;  // hundredths of accuracy within which nets are level
const LEARNT = 20;       // guessing among ten digits gives 10

/** Heights of cosines: few pairs are below the lowest one. */
const LOWEST = -0.5;
export const COSINE = {
  at: (v) => (Math.max(LOWEST, v) - LOWEST) / (1 - LOWEST), has: (v) => v !== null,
  ticks: [-0.5, 0, 0.5, 1].map((v) => [v, String(v).replace("-", "−")]),
};

export const START_TITLE = "before training: how alike two images are in each layer (1: the same; thin: theory)";
export const START_DETAIL = ". Cosine of what reaches the layer’s ReLUs; line: median pair; band: four fifths of "
  + "the pairs; thin line: theory of wide nets.";
export const LEGEND = "Mimic = w. mean (each unit’s weights without their mean) + last BN (one batch norm, at the end)";
export const INSIDE = "A last BatchNorm changes nothing before the logits: “last BN” starts like “none”, "
  + "“MimicNorm” like “weight mean”. All nets start from the same random numbers, and see the same batches.";

/** What a net is like inside, before it is trained. */
const KINDS = { none: "none", last_norm: "none", weight_mean: "weight_mean", mimic: "weight_mean", batch: "batch" };

/** What is shown, as text. */
export const mimicKey = (state) => writeQuery(state, ["depth", "lr", "seed", "norms"]);

/** The different starts of the chosen nets: {names, name, kind, rows, theory}; a row is of a layer. */
export function startOf({ norms, depth }, { start }) {
  const kinds = [...new Set(norms.map((name) => KINDS[name]))];
  return kinds.map((kind) => {
    const names = norms.filter((name) => KINDS[name] === kind);
    const [rows, theory] = [start.layers, start.theory].map((of) => of[kind].slice(0, depth));
    return { names, name: names[0], kind, rows, theory };
  });
}

/** What the start shows, before anything is trained. */
export function startHeadline(found, { depth }) {
  const parts = found.map(({ name, rows }) => `${STYLE[name].short} ${rows.at(-1)[0].toFixed(2).replace("-", "−")}`);
  return `How alike images are in layer ${depth}: ${parts.join(", ")}.`;
}

/** The names of a curve that stands for several nets. */
export const labelsOf = (names) => ({
  short: names.map((name) => STYLE[name].short).join(", "), label: names.map((name) => STYLE[name].label).join(" and "),
});

/** Which part does the work, if the ends say so; else who has won. */
export function mimicHeadline({ curves }) {
  const ends = new Map(ranking(curves)), [both, last, mean] = ["mimic", "last_norm", "weight_mean"].map((name) => ends.get(name));
  const parts = [both, last, mean], short = shortHeadline(curves, LEVEL_WITHIN);
  if (parts.some((end) => end === undefined || end < 0) || Math.max(...parts) < LEARNT) return short;
  const clearly = (one, other) => one - other > LEVEL_WITHIN, level = (one, other) => !clearly(one, other) && !clearly(other, one);
  const bare = ends.get("none") ?? -1, batch = ends.get("batch");
  const everywhere = batch === undefined ? "" : batch < 0 ? "; batch norm everywhere diverged" : `; batch norm everywhere ${two(batch)}`;
  const work = (what, own, other) => `${what} does the work: ${two(own)}, both parts ${two(both)}, the other ${two(other)}${everywhere}.`;
  const [best, words] = last >= mean ? [last, "one batch norm at the end"] : [mean, "weights without their mean"];
  if (clearly(best, both)) return `Both parts together end at ${two(both)}, ${words} alone at ${two(best)}${everywhere}.`;
  if (!clearly(best, bare)) return short;  // no part is needed
  if (level(last, both) && clearly(both, mean) && clearly(last, mean)) return work("One batch norm at the end", last, mean);
  if (level(mean, both) && clearly(both, last) && clearly(mean, last)) return work("Removing the weights’ mean", mean, last);
  if (clearly(both, best)) return `It takes both parts: ${two(both)}; ${two(last)} with one batch norm at the end, ${two(mean)} with the other part${everywhere}.`;
  return short;
}

/** The alt text of the start. */
export function startText(found, { depth }, { images, start }) {
  const parts = found.map(({ names, rows, theory }) => {
    const [[first]] = rows, [last, low, high] = rows.at(-1);
    return `${names.map((name) => STYLE[name].label).join(" and ")}: ${first.toFixed(2)} in layer 1, `
      + `${last.toFixed(2)} in layer ${depth} (four fifths of the pairs ${low.toFixed(2)} to ${high.toFixed(2)}, `
      + `theory ${theory.at(-1).toFixed(2)})`;
  });
  return `Cosine of two of ${images} images before the ReLU, by layer, before training, median pair of `
    + `${start.seeds} seeds: ${parts.join("; ")}.`;
}
