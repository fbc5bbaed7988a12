// Lawn: Adam, and Adam whose weights keep their norms from some step on, on the same batches.

import { curvePlot, legend } from "../kit/js/curve_plot.js";
import { html } from "../kit/js/elements.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import { STYLE } from "../kit/js/style.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { widgetOf } from "../kit/js/widget.js";
import {
  addLawn, aheadText, emptyLawnText, hasLawn, lawnGuesses, lawnKey, lawnPlotText, LAWN_PLOTS, LAWN_SCALES,
  lawnText, lawnVerdict, NETS, newLawn, percentText, switchStep,
} from "./lawn_words.js";

class Lawn extends TrainingWidget {
  prepare() {
    Object.assign(STYLE, this.options.looks);
    super.prepare();
  }

  makeParts() {
    const { stops, steps } = this.options;
    this.controls = {
      free: this.range("free", "free phase (of all steps)", stops.free, percentText),
      lr: this.range("lr", "learning rate", stops.lr),
      wrong: this.range("wrong", "wrong labels", stops.wrong, percentText),
      seed: this.range("seed", "random seed", stops.seed),
      predict: this.predictBox(),
    };
    this.legend = legend((name, on) => this.switchCurve(name, on));
    this.plots = Object.fromEntries(Object.entries(LAWN_PLOTS).map(([which, title]) =>
      [which, this.own(curvePlot({ title, scale: LAWN_SCALES[which], steps, names: NETS }))]));
  }

  layOut() {
    return {
      kind: "lawn", title: "LAWN: what if the weights cannot grow?",
      controls: this.controlRows(this.go, this.halt),
      body: [
        html("div", { class: "bnlab-stage" },
          html("div", { class: "bnlab-plots" }, ...Object.values(this.plots).map(({ element }) => element)),
          this.guessBox.element),
        this.verdict.element, this.legend.element, this.summary.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return lawnKey(state); }

  write() { return `${lawnKey(this.state)}&${writeQuery(this.state, ["predict"])}`; }

  parse(query) { return parseQuery(query, this.options.stops); }

  // ---- training ----------------------------------------------------------------------------------

  begun() { return newLawn(this.state); }
  add(outcome, name, content) { addLawn(outcome, name, content); }
  judged(outcome) { return lawnVerdict(outcome, this.guess); }

  // ---- what is seen ------------------------------------------------------------------------------

  show() {
    super.show();
    // The evidence for this chapter was trained by PyTorch.
    if (this.engine.name === "page") this.badge.set("in this page, same bits as in Python");
    this.legend.set(NETS, this.hidden);
  }

  question() {
    return { text: "Which one ends with the higher validation accuracy?", items: lawnGuesses() };
  }

  isSeen(outcome) { return hasLawn(outcome); }

  drawResult(outcome) {
    const { steps } = this.options, step = outcome && switchStep(outcome, steps);
    const { weights, ...others } = this.plots;
    const draw = (plots, text) => this.drawCurves(outcome, plots, {
      shown: outcome && lawnKey(outcome.state), alt: lawnPlotText(steps), emptyAlt: emptyLawnText,
      events: step === null ? [] : [{ step, text }],
    });
    draw({ weights }, "from here LAWN keeps it fixed");
    draw(others, "");
  }

  headlineOf(outcome) { return aheadText(outcome, outcome.phase === "finished"); }
  runningHeadline(outcome) { return aheadText(outcome); }

  told(outcome) { return lawnText(outcome, this.options.steps); }
}

export default widgetOf(Lawn);
