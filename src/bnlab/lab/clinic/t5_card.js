// The words of card T5: weight decay on gamma, beta and the biases.

import { twoDigits } from "../kit/js/sentence.js";
import { STYLE } from "../kit/js/style.js";
import { lastOf } from "./clinic_words.js";

const T5_LAST = 0.9;   // the last tenth of the training says where it ends
const T5_SAME = 1.1;   // losses within a tenth of each other are the same
const T5_LENGTHS = [3, 15], T5_RATES = [0.0005, 0.005];
const t5Number = (value) => String(+value.toPrecision(2));
const t5Times = (ratio) => `${(+ratio.toPrecision(2)).toString()} times`;

/** Mean training loss over the last tenth. */
function t5Loss(outcome, name) {
  const { loss, step } = outcome.curves.get(name), last = loss.filter(([at]) => at > T5_LAST * step);
  return last.reduce((sum, [, value]) => sum + value, 0) / last.length;
}

const t5Versus = (outcome, names) => names.map((name) => twoDigits(lastOf(outcome, name, "accuracy"))).join(" against ");

function t5Headline(outcome) {
  const { decay, repaired } = outcome.state, rate = (name) => lastOf(outcome, name, "rate");
  const faster = `an effective rate ${t5Times(rate(decay) / rate("undecayed"))} as large`;
  if (!repaired || !outcome.curves.has("weights")) {
    const losses = t5Loss(outcome, decay) / t5Loss(outcome, "undecayed");
    return `${decay === "all" ? "Decay of everything" : "Decay of γ alone"}: ${faster} as without, `
      + `training loss ${t5Times(losses)}; accuracy ${t5Versus(outcome, [decay, "undecayed"])}.`;
  }
  const ratio = t5Loss(outcome, decay) / t5Loss(outcome, "weights"), accuracy = t5Versus(outcome, ["weights", decay]);
  const losses = [t5Loss(outcome, "weights"), t5Loss(outcome, decay)].map(t5Number).join(" against ");
  const word = ratio > T5_SAME ? "Repaired" : ratio < 1 / T5_SAME ? "No repair" : "No difference";
  return `${word} in training loss, ${losses} with ${STYLE[decay].label}; accuracy ${accuracy}.`;
}

function t5Gammas({ state, curves, phase }) {
  if (phase !== "finished") return "";
  const ends = state.norms.map((name) => `${STYLE[name].label} ${t5Number(curves.get(name).gamma.at(-1)[1])}`);
  return `Mean γ at the end: ${ends.join(", ")}.`;
}

/** Which of the answers below is true. */
function t5Answer(outcome) {
  const { decay, repaired } = outcome.state, others = repaired ? ["weights", decay] : [decay, "undecayed"];
  const [one, other] = others.map((name) => lastOf(outcome, name, "accuracy"));
  return Math.abs(one - other) <= 0.02 ? "level" : one > other ? "better" : "worse";
}

const t5Log = ([low, high]) => (value) => Math.log(Math.min(high, Math.max(low, value)) / low) / Math.log(high / low);

export const T5_CARD = {
  headline: t5Headline,
  scales: {
    length: { at: t5Log(T5_LENGTHS), ticks: [[3, "≤ 3"], [5, "5"], [7, "7"], [10, "10"], [15, "≥ 15"]], write: t5Number },
    rate: {
      at: t5Log(T5_RATES), ticks: [[0.0005, "≤ 0.0005"], [0.001, "0.001"], [0.002, "0.002"], [0.005, "≥ 0.005"]],
      write: t5Number,
    },
  },
  told: t5Gammas,
  question: ({ decay, repaired }) => ({
    text: repaired ? `Beside ${STYLE[decay].label}, decay of the weights alone ends with an accuracy that is …`
      : `Beside no decay at all, ${STYLE[decay].label} ends with an accuracy that is …`,
    items: [
      { value: "level", text: "the same (within 0.02)" },
      { value: "better", text: "higher" },
      { value: "worse", text: "lower" },
    ],
    answer: t5Answer,
  }),
};
