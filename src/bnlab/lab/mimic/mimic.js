// Mimic: the parts of MimicNorm: untrained nets by layer, and nets in training.

import { curvePlot } from "../kit/js/curve_plot.js";
import { depthPanel } from "../kit/js/depth_plot.js";
import { html } from "../kit/js/elements.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import {
  addPoints, altText, guesses, hasPoints, newTraining, summaryText, untrainedText, verdictText,
} from "../kit/js/outcome.js";
import { STYLE } from "../kit/js/style.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { widgetOf } from "../kit/js/widget.js";
import {
  COSINE, INSIDE, labelsOf, LEGEND, mimicHeadline, mimicKey, START_DETAIL, START_TITLE, startHeadline, startOf, startText,
} from "./mimic_words.js";

class Mimic extends TrainingWidget {
  /** The page's engine trains the nets of a race, whose batches have a size. */
  makeEngine() {
    const engine = super.makeEngine(), { batch_size } = this.options;
    if (this.model.bnlabHost !== "static") return engine;
    const start = (state, sink, paused) => engine.start({ ...state, batch_size }, sink, paused);
    return Object.assign(Object.create(engine), { start });
  }

  prepare() {
    Object.assign(STYLE, this.options.looks);
    super.prepare();
  }

  makeParts() {
    const { options } = this, { norms: names, steps } = options;
    const text = (name) => options.words[name] ?? STYLE[name].short;
    const items = names.map((name) => ({ value: name, text: text(name), swatchOf: name }));
    this.controls = {
      norms: this.several("norms", "nets", items),
      depth: this.range("depth", "depth (layers)", options.depths),
      lr: this.range("lr", "learning rate", options.lrs),
      seed: this.range("seed", "random seed (of the training)", options.seeds),
      predict: this.predictBox(),
    };
    this.panel = this.own(depthPanel({ title: START_TITLE, log: false, scale: COSINE }));
    this.panel.element.querySelector("figcaption").append(html("span", { class: "bnlab-detail" }, START_DETAIL));
    const plot = (title, scale) => this.own(curvePlot({ title, scale, steps, names }));
    this.plots = {
      loss: plot("training loss (mean of 5 steps)", "loss"),
      accuracy: plot("validation accuracy", "accuracy"),
    };
  }

  layOut() {
    const plots = Object.values(this.plots).map(({ element }) => element);
    return {
      kind: "mimic", title: "MimicNorm: which part does the work?",
      controls: this.controlRows(this.go, this.halt),
      body: [
        html("p", { class: "bnlab-caption" }, LEGEND), this.panel.element,
        html("div", { class: "bnlab-stage" }, html("div", { class: "bnlab-plots" }, ...plots),
          this.guessBox.element),
        this.verdict.element, this.summary.element, html("p", { class: "bnlab-caption bnlab-detail" }, INSIDE)],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return mimicKey(state); }

  write() { return `${mimicKey(this.state)}&${writeQuery(this.state, ["predict"])}`; }

  parse(query) {
    const { depths: depth, lrs: lr, seeds: seed, norms: offered } = this.options;
    return parseQuery(query, { depth, lr, seed }, { offered, fewest: 1 });
  }

  change(part) {
    super.change(part);
    this.redraw();  // the start follows every change, trained or not
  }

  // ---- training ----------------------------------------------------------------------------------

  begun() {
    const { state, options: { batch_size } } = this;
    return Object.assign(newTraining({ ...state, batch_size }), { key: mimicKey(state) });
  }

  add(race, name, points) { addPoints(race, name, points); }
  judged(race) { return verdictText(race, this.guess); }

  // ---- what is seen ------------------------------------------------------------------------------

  get idleText() { return "Above: nets before their first step. Press Train."; }

  question() {
    return {
      text: "Which one ends with the highest validation accuracy?", items: guesses(this.state.norms),
    };
  }

  isSeen(race) { return hasPoints(race); }

  drawResult(race) {
    this.drawStart();
    this.drawCurves(race, this.plots, { shown: race?.key, alt: altText, emptyAlt: untrainedText });
  }

  headlineOf(race) { return race.phase === "finished" ? mimicHeadline(race) : ""; }

  drawHeadline(race) {
    if (race || this.asking) super.drawHeadline(race);
    else this.headline.now(startHeadline(startOf(this.state, this.options), this.state));
  }

  told(race) { return summaryText(race, this.options.steps); }

  drawStart() {
    const { state, options } = this, { depth: layers } = state, found = startOf(state, options);
    for (const { names, name, kind } of found) STYLE[`start_${kind}`] = { ...STYLE[name], ...labelsOf(names) };
    const curves = found.flatMap(({ kind, rows, theory }) => [
      { name: `start_${kind}`, rows }, { name: `theory_${kind}`, rows: theory.map((value) => [value, value, value]) },
    ]);
    const alt = startText(found, state, options);
    this.panel.draw(curves, { layers, word: "layer", key: mimicKey(state), alt });
  }
}

export default widgetOf(Mimic);
