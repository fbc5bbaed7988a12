// GroupSizes: a group size next to its neighbours: untrained nets by layer, and nets in training.

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
  BESIDE_WORDS, groupsHeadline, groupsKey, groupVariants, trainedOf, sizeText, startText, START_PANELS,
} from "./group_sizes_state.js";

const TRAINED_HERE = "trained in this page; the start: stored numbers";

class GroupSizes extends TrainingWidget {
  /** The page's engine trains the nets of a race; Python knows which nets a state means. */
  makeEngine() {
    const { model, options } = this, engine = super.makeEngine();
    if (model.bnlabHost !== "static") return engine;
    const start = (state, sink, paused) => engine.start(trainedOf(state, options), sink, paused);
    return {
      get name() { return engine.name; },
      get badge() { return engine.name === "page" ? TRAINED_HERE : engine.badge; },
      start, warm: () => engine.warm?.(), destroy: () => engine.destroy?.(),
    };
  }

  prepare() {
    Object.assign(STYLE, this.options.looks);
    super.prepare();
  }

  makeParts() {
    const { options } = this, { width } = options;
    const items = options.besides.map((value) => ({ value, text: BESIDE_WORDS[value] }));
    this.controls = {
      group_size: this.range("group_size", "group size (channels)", options.group_sizes,
        (size) => sizeText(size, width)),
      depth: this.range("depth", "depth (layers)", options.depths),
      lr: this.range("lr", "learning rate", options.lrs),
      seed: this.range("seed", "random seed (of the training)", options.seeds),
      beside: this.one("beside", "compare with", items),
      predict: this.predictBox(),
    };
    this.panels = Object.fromEntries(
      Object.entries(START_PANELS).map(([quantity, look]) => [quantity, this.own(depthPanel(look))]));
    const names = Object.keys(options.start);
    const plot = (title, scale) => this.own(curvePlot({ title, scale, steps: options.steps, names }));
    this.plots = {
      loss: plot("then trained: loss", "loss"),
      accuracy: plot("then trained: share of new images right", "accuracy"),
    };
  }

  layOut() {
    const plots = (parts) => html("div", { class: "bnlab-plots" },
      ...Object.values(parts).map((part) => part.element));
    return {
      kind: "groups", title: "How large should a group of units be?",
      controls: [...this.controlRows(this.go, this.halt),
        html("p", { class: "bnlab-caption" }, this.options.instance)],
      body: [
        plots(this.panels),
        html("div", { class: "bnlab-stage" }, plots(this.plots), this.guessBox.element),
        this.verdict.element, this.summary.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return groupsKey(state); }

  write() { return `${groupsKey(this.state)}&${writeQuery(this.state, ["predict"])}`; }

  parse(query) {
    const { group_sizes: group_size, depths: depth, lrs: lr, seeds: seed, besides: beside } = this.options;
    return parseQuery(query, { group_size, depth, lr, seed, beside });
  }

  change(part) {
    super.change(part);
    this.redraw();  // the start follows every change, trained or not
  }

  // ---- training --------------------------------------------------------------------------------

  begun() {
    return Object.assign(newTraining(trainedOf(this.state, this.options)), { key: groupsKey(this.state) });
  }

  add(race, name, points) { addPoints(race, name, points); }
  judged(race) { return verdictText(race, this.guess); }

  // ---- what is seen ----------------------------------------------------------------------------

  get idleText() { return "Above: nets before their first step. Press Train."; }

  question() {
    return {
      text: "Which one ends with the highest validation accuracy?",
      items: guesses(groupVariants(this.state, this.options)),
    };
  }

  isSeen(race) { return hasPoints(race); }

  drawResult(race) {
    this.drawStart();
    this.drawCurves(race, this.plots, { shown: race?.key, alt: altText, emptyAlt: untrainedText });
  }

  headlineOf(race) { return race.phase === "finished" ? groupsHeadline(race) : ""; }

  told(race) { return summaryText(race, this.options.steps); }

  drawStart() {
    const { state, options } = this, { depth } = state, key = groupsKey(state);
    if (this.started === key) return;  // the start stands still while nets train
    this.started = key;
    for (const [quantity, panel] of Object.entries(this.panels)) {
      const curves = groupVariants(state, options).map((name) =>
        ({ name, rows: options.start[name][depth][quantity] }));
      const alt = startText(curves, quantity, state, options.start_seeds);
      panel.draw(curves, { layers: depth, word: "layer", key, alt });
    }
  }
}

export default widgetOf(GroupSizes);
