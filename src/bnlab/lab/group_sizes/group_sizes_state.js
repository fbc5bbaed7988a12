// The state of GroupSizes, which nets it shows, and the words for their start. No drawing here.

import { shortText } from "../kit/js/depth_plot.js";
import { behind, headlineText } from "../kit/js/headline.js";
import { writeQuery } from "../kit/js/link_state.js";
import { STYLE } from "../kit/js/style.js";

export const START_PANELS = {
  cosine: { title: "untrained: how alike two images are (1: same)", log: false },
  gradient_norm: { title: "untrained: size of the gradient in each layer", log: true },
};
export const BESIDE_WORDS = {
  nothing: "nothing", batch: "BatchNorm", none: "no normalizer", both: "both",
};
const CLOSE = 2, LEARNS = 20;  // hundredths of accuracy; guessing among ten digits gives 10
const REFERENCES = { nothing: [], batch: ["batch"], none: ["none"], both: ["batch", "none"] };

const variantOfSize = (size, width) => (size === width ? "layer" : `group_${size}`);

/** Half the group size, the size and twice the size, as far as they are offered, and references. */
export function groupVariants({ group_size, beside }, { group_sizes, width }) {
  const at = group_sizes.indexOf(group_size);
  const sizes = group_sizes.slice(Math.max(0, at - 1), at + 2);
  return [...sizes.map((size) => variantOfSize(size, width)), ...REFERENCES[beside]];
}

export const sizeText = (size, width) => `${size}${size === width ? " (layer norm)" : ""}`;

/** What is trained, as text. */
export const groupsKey = (state) => writeQuery(state, ["group_size", "depth", "lr", "beside", "seed"]);

/** The state as a race has it (outcome.js). */
export function trainedOf(state, options) {
  return { ...state, norms: groupVariants(state, options), batch_size: options.batch_size };
}

/** Who has won, or that the sizes of groups end within `CLOSE` of each other. */
export function groupsHeadline(race) {
  const all = [...race.curves].map(([name, { accuracy, divergedAt }]) =>
    [name, divergedAt === null && accuracy.length ? Math.round(100 * accuracy.at(-1)[1]) : null]);
  const isSize = ([name]) => name === "layer" || name.startsWith("group_");
  const sizes = all.filter(isSize).map(([, value]) => value), low = Math.min(...sizes), high = Math.max(...sizes);
  if (sizes.length < 2 || low < LEARNS || high - low > CLOSE) return headlineText(race);
  const shown = (value) => (value / 100).toFixed(2), ends = low === high ? shown(low) : `${shown(low)} to ${shown(high)}`;
  const others = all.filter((one) => !isSize(one))
    .map(([name, value]) => `${value === null ? "diverged" : shown(value)} ${behind(name)}`);
  return `Group size hardly matters in the end: accuracy ${ends}${others.length ? ` (${others.join(", ")})` : ""}.`;
}

/** The alt text of one panel of the start. */
export function startText(curves, quantity, { depth }, seeds) {
  const write = quantity === "cosine" ? (v) => v.toFixed(2) : shortText;
  const parts = curves.map(({ name, rows }) => {
    const [[first], [last, low, high]] = [rows[0], rows.at(-1)];
    return `${STYLE[name].label}: ${write(first)} in layer 1, ${write(last)} in layer ${depth} `
      + `(seeds ${write(low)} to ${write(high)})`;
  });
  const what = quantity === "cosine" ? "Cosine similarity of two images' activations"
    : "Norm of the loss gradient at the outputs of the linear layers";
  return `${what}, by layer, before training, median of ${seeds} seeds: ${parts.join("; ")}.`;
}
