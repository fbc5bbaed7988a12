// The plot of card T7: running variance over the variance in evaluation mode, by layer.

import { depthPanel, shortText } from "../kit/js/depth_plot.js";
import { STYLE } from "../kit/js/style.js";

const RATIO_LAYERS = 4, LEAST_RATIO = 0.7, LARGEST_RATIO = 5;
const ratioHeight = (value) => Math.log(value / LEAST_RATIO) / Math.log(LARGEST_RATIO / LEAST_RATIO);

const RATIO_SCALE = {
  at: (value) => Math.min(1, Math.max(0, ratioHeight(value))), has: (value) => value !== null,
  ticks: [[0.7, "0.7"], [1, "1"], [1.5, "1.5"], [2, "2"], [3, "3"], [5, "5"]],
};
const RATIO_TITLE = "variance remembered over variance met";

function ratioAlt(curves) {
  if (!curves.length) return "Remembered variance over the variance met, by layer: no net is at its end yet.";
  const ends = curves.map(({ name, rows }) => `${STYLE[name].label}: ${rows.map(([value]) => shortText(value)).join(", ")}`);
  return `Remembered variance over the variance met in evaluation mode, from the first to the last layer. ${ends.join("; ")}.`;
}

/** A drawing of a card, see clinic.js. */
export function ratioPlot(widget) {
  const panel = depthPanel({ title: RATIO_TITLE, scale: RATIO_SCALE });
  function draw(outcome) {
    const names = (outcome?.state.norms ?? []).filter((name) => !widget.hidden.has(name) && outcome.curves.get(name).ratio?.length);
    const curves = names.map((name) => ({ name, rows: outcome.curves.get(name).ratio.map(([, value]) => [value, value, value]) }));
    panel.draw(curves, { layers: RATIO_LAYERS, word: "layer", alt: ratioAlt(curves), key: outcome ? widget.key(outcome.state) : "" });
  }
  return { ...panel, draw };
}
