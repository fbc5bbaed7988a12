// What is known of the plane, and in which words. No drawing here.

import { STYLE } from "../kit/js/style.js";

const MOST = 10;  // a loss that is drawn as black as any

/** The setting that all points of a plane share. */
export const planeKey = ({ norm, depth, momentum, seed }) =>
  `norm=${norm}&depth=${depth}&momentum=${momentum}&seed=${seed}`;

export const cellName = ([gamma, rate]) => `${gamma}|${rate}`;

/** Gammas of the columns: without a normalizer there is one column. */
export const columns = (options, { norm }) => (norm === "batch" ? options.gammas : [1]);

/** The chosen point, [gamma, rate]. */
export const chosen = ({ norm, gamma, rate }) => [norm === "batch" ? gamma : 1, rate];

/** All points: first every other one, so that the border is soon seen. */
export function allCells(options, state) {
  const cells = [];
  columns(options, state).forEach((gamma, column) =>
    options.rates.forEach((rate, row) => cells.push({ cell: [gamma, rate], late: (column + row) % 2 })));
  return cells.sort((a, b) => a.late - b.late).map(({ cell }) => cell);
}

/** The rate beyond which a net should diverge, 2 (1 + momentum) / curvature. */
export function predictedRate(options, { norm, depth, momentum, seed }, gamma) {
  const curvature = options.curvatures[`${norm} ${depth} ${gamma} ${seed}`];
  return (2 * (1 + momentum)) / curvature;
}

export const newPoint = () => ({ loss: [], divergedAt: null, done: false });

/** Adds what is new; losses in the unit of half the squared distance. */
export function addToPoint(point, { loss, diverged_at, done }, unit) {
  for (const [step, value] of loss) point.loss.push([step, unit * value]);
  point.divergedAt = diverged_at;
  point.done = done;
}

/** Loss at the end, or null for a net that diverged or is not done. */
export const finalLoss = (point) => (point?.done && point.divergedAt === null ? point.loss.at(-1)[1] : null);

/** From 0 (a loss of 10 and more) to 1 (0.01 and less). */
export const goodness = (loss) => Math.min(1, Math.max(0, Math.log10(MOST / loss) / 3));

export function lossText(value) {
  if (value >= 100) return value.toExponential(0).replace("e+", "e");
  return value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2).slice(1);
}

/** A number in words: 0.13 instead of .13. */
const written = (value) => (value < 1 ? value.toFixed(2) : value.toPrecision(3));

export function placeText([gamma, rate], norm) {
  return `${norm === "batch" ? `γ ${gamma}, ` : ""}learning rate ${rate}`;
}

/** What happened at a point, as the end of a sentence. */
export function pointText(point) {
  if (!point) return "not trained yet";
  if (point.divergedAt !== null) return `diverged at step ${point.divergedAt}`;
  if (!point.loss.length) return "training begins";
  const [step, value] = point.loss.at(-1);
  const ended = point.done ? "trained: loss" : `in training: loss at step ${step} is`;
  return point.done ? `${ended} ${written(point.loss[0][1])} at first, ${written(value)} at the end`
    : `${ended} ${written(value)}`;
}

/** Whether what a point came to is what the border says; only of one that is done. */
export const isPredicted = (options, state, [gamma, rate], { divergedAt }) =>
  (rate > predictedRate(options, state, gamma)) === (divergedAt !== null);

/** Whether the largest rate that trains is smaller for a larger γ, when all points are known. */
function shrinks(options, state, points) {
  const edges = columns(options, state).map((gamma) => {
    const all = options.rates.map((rate) => [rate, points.get(cellName([gamma, rate]))]);
    if (!all.every(([, point]) => point?.done)) return null;
    return Math.max(0, ...all.filter(([, point]) => point.divergedAt === null).map(([rate]) => rate));
  });
  if (edges.includes(null)) return false;
  return edges.length > 1 && edges.at(-1) < edges[0] && edges.every((edge, i) => i === 0 || edge <= edges[i - 1]);
}

/** Whether the prediction holds: at the chosen point, or at all that are trained. */
export function planeHeadline(options, state, points) {
  const done = columns(options, state).flatMap((gamma) => options.rates.map((rate) => {
    const point = points.get(cellName([gamma, rate]));
    return point?.done && { point, right: isPredicted(options, state, [gamma, rate], point) };
  })).filter(Boolean);
  const right = done.filter((one) => one.right).length, [{ point } = {}] = done;
  if (done.length > 1) {
    const law = shrinks(options, state, points) ? "The larger γ, the smaller the learning rate must be. " : "";
    return `${law}The border, computed before training, is right at ${right} of ${done.length} points.`;
  }
  if (!point) return "";
  const what = point.divergedAt !== null ? `It diverges at step ${point.divergedAt}` : "It trains";
  return `${what}: ${right ? "as the line predicts" : "the line predicts otherwise"}.`;
}

export function settingWords({ norm, depth, momentum, seed }) {
  return `${STYLE[norm].label}, ${depth} layers, momentum ${momentum}, seed ${seed}`;
}

/** One sentence on the whole plane: how many points, and the border of each column. */
export function planeText(options, state, points) {
  const done = [...points.values()].filter((point) => point.done);
  const title = `Plane of γ and learning rate, ${settingWords(state)}`;
  if (!done.length) return `${title}: no point is trained yet.`;
  const gone = done.filter((point) => point.divergedAt !== null).length;
  const edges = columns(options, state).map((gamma) => {
    const known = options.rates.map((rate) => [rate, points.get(cellName([gamma, rate]))])
      .filter(([, point]) => point?.done);
    const trained = known.filter(([, point]) => point.divergedAt === null).map(([rate]) => rate);
    const lost = known.filter(([, point]) => point.divergedAt !== null).map(([rate]) => rate);
    if (!known.length) return null;
    const name = state.norm === "batch" ? `γ ${gamma}` : "without γ";
    const most = trained.length ? `trains up to ${Math.max(...trained)}` : "no rate trains";
    const least = lost.length ? `, diverges from ${Math.min(...lost)}` : "";
    return `${name}: ${most}${least} (predicted ${predictedRate(options, state, gamma).toPrecision(2)})`;
  }).filter(Boolean);
  return `${title}: ${done.length} points trained, ${gone} of them diverged. ${edges.join("; ")}.`;
}
