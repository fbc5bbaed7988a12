// Clinic: a card for each symptom of chapter 14, which is seen in the page and repaired there.
//
// A card (tN_card.js) has
//   headline(outcome)        the result in one bold sentence, with numbers; the outcome is as in
//                            clinic_words.js, and may lack curves that were not reached
//   question(state)          {text, items, answer(outcome)}: what "Predict first" asks
// and may have
//   scales                   by the names of its plots, where those of plot_scales.js do not fit
//   events(outcome)          [{step, text}], see curve_plot.js
//   told(outcome)            all results in words, behind the numbers of the curves
//   view(widget)             {element, draw(outcome or null), destroy()}: a drawing of its own

import { curvePlot, legend } from "../kit/js/curve_plot.js";
import { html } from "../kit/js/elements.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import { button } from "../kit/js/parts.js";
import { STYLE } from "../kit/js/style.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { onceNear } from "../kit/js/when.js";
import { widgetOf } from "../kit/js/widget.js";
import {
  addToCard, cardPlotText, cardText, cardVerdict, emptyCardText, hasCurves, newCardOutcome,
} from "./clinic_words.js";
import { T1_CARD } from "./t1_card.js";
import { T2_CARD } from "./t2_card.js";
import { T3_CARD } from "./t3_card.js";
import { T4_CARD } from "./t4_card.js";
import { T5_CARD } from "./t5_card.js";
import { T6_CARD } from "./t6_card.js";
import { T7_CARD } from "./t7_card.js";
import { T8_CARD } from "./t8_card.js";
import { inTurn } from "./turns.js";

const CARDS = {
  T1: T1_CARD, T2: T2_CARD, T3: T3_CARD, T4: T4_CARD, T5: T5_CARD, T6: T6_CARD, T7: T7_CARD, T8: T8_CARD,
};
const FEW = 4;  // stops that are buttons and no slider

class Clinic extends TrainingWidget {
  prepare() {
    Object.assign(STYLE, this.options.looks);
    this.card = CARDS[this.options.card];
    this.names = Object.keys(this.options.looks);
    super.prepare();
  }

  makeParts() {
    const { controls, plots, stops } = this.options;
    this.controls = {
      ...Object.fromEntries(Object.entries(controls).map(([key, control]) => [key, this.control(key, control)])),
      seed: this.range("seed", "random seed", stops.seed),
      predict: this.predictBox(),
    };
    this.repair = button({
      text: this.options.repair, kind: "bnlab-always bnlab-repair",
      onClick: () => this.set({ repaired: !this.state.repaired }),
    });
    this.legend = legend((name, on) => this.switchCurve(name, on));
    this.plots = Object.fromEntries(Object.entries(plots).map(([which, plot]) => [which, this.plot(which, plot)]));
    this.view = this.card.view ? this.own(this.card.view(this)) : null;
    this.cause = html("details", { class: "bnlab-cause", open: !this.state.predict },
      html("summary", { class: "bnlab-why-word" }, "Why?"), html("p", {}, this.options.cause));
  }

  control(key, { label, stops, words }) {
    if (!words && stops.length > FEW) return this.range(key, label, stops);
    return this.one(key, label, stops.map((value, i) => ({ value, text: words?.[i] ?? value })));
  }

  plot(which, { title, scale }) {
    const { steps, axis } = this.options;
    return this.own(curvePlot({ title, scale: scale ?? this.card.scales[which], steps, axis, names: this.names }));
  }

  layOut() {
    const parts = [...Object.values(this.plots), ...(this.view ? [this.view] : [])];
    return {
      kind: "clinic", title: this.options.title,
      controls: this.controlRows(this.go, this.repair, this.halt),
      body: [
        html("div", { class: `bnlab-stage bnlab-parts-${parts.length}` },
          html("div", { class: "bnlab-plots" }, ...parts.map(({ element }) => element)),
          this.guessBox.element),
        this.verdict.element, this.legend.element, this.summary.element, this.cause],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return writeQuery(state, [...Object.keys(this.options.stops), "repaired"]); }

  write() { return `${this.key(this.state)}&${writeQuery(this.state, ["predict"])}`; }

  parse(query) {
    const { state, problems } = parseQuery(query, { ...this.options.stops, repaired: [0, 1] });
    if ("repaired" in state) state.repaired = state.repaired === 1;
    return { state, problems };
  }

  // ---- training ----------------------------------------------------------------------------------

  /** A page has eight cards: what a card needs is loaded when the reader comes near it. */
  warmSoon() { this.own(onceNear(this.root, () => this.engine.warm())); }

  comeAlive() {
    inTurn((done) => {
      if (this.isGone || this.result !== null || this.asking) { done(); return; }
      this.train();
      this.turnOver = done;
    });
  }

  drop() {
    super.drop();
    this.turnOver?.();
  }

  /** With the repair the symptom stays in sight until it has come anew. */
  begun() {
    const { result, state, shownBefore } = this;
    const isRepair = state.repaired && result?.phase === "finished"
      && this.key(result.state) === this.key({ ...state, repaired: false });
    return Object.assign(newCardOutcome(state, isRepair ? result : null), { saidBefore: isRepair ? shownBefore : "" });
  }

  add(outcome, name, content) { addToCard(outcome, name, content, this.names, Object.keys(this.options.plots)); }

  end(outcome, phase) {
    super.end(outcome, phase);
    this.turnOver?.();
  }

  judged(outcome) {
    return cardVerdict(outcome, this.guess, this.question(), this.headlineOf(outcome));
  }

  // ---- what is seen ------------------------------------------------------------------------------

  show() {
    super.show();
    const { controls } = this.options, { repaired } = this.state;
    for (const [key, { after_repair: isLate }] of Object.entries(controls)) {
      this.controls[key].element.hidden = isLate && !repaired;
    }
    this.repair.element.setAttribute("aria-pressed", String(repaired));
    this.cause.hidden = this.asking;
  }

  question() { return this.card.question(this.state); }

  isSeen(outcome) { return hasCurves(outcome); }

  drawResult(outcome) {
    const { plots } = this.options;
    this.drawCurves(outcome, this.plots, {
      shown: outcome && this.key(outcome.state),
      alt: (some, which, names) => cardPlotText(some, which, names, this.options),
      emptyAlt: (which) => emptyCardText(plots[which]),
      events: (outcome && this.card.events?.(outcome)) ?? [],
    });
    this.view?.draw(outcome);
    this.legend.set(outcome?.state.norms ?? [], this.hidden);
    this.legend.element.hidden = !outcome;
  }

  headlineOf(outcome) {
    const said = outcome.phase === "finished" ? this.card.headline(outcome) : "";
    this.shownBefore = said;
    return said;
  }

  runningHeadline(outcome) { return outcome.saidBefore; }

  told(outcome) { return [cardText(outcome, this.options), this.card.told?.(outcome)].filter(Boolean).join(" "); }

  destroy() {
    this.isGone = true;
    super.destroy();
  }
}

export default widgetOf(Clinic);
