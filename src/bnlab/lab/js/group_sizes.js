// GroupSizes: a group size next to its neighbours: untrained nets by layer, and nets in training.

import { depthPanel } from "./depth_plot.js";
import {
  BESIDE_WORDS, groupsKey, groupVariants, raceOf, sizeText, startText, START_PANELS,
} from "./group_sizes_state.js";
import { parseQuery, writeQuery } from "./link_state.js";
import {
  addPoints, altText, guesses, hasPoints, newRace, summaryText, untrainedText, verdictText,
} from "./outcome.js";
import { chooseEngine } from "./page_engine.js";
import { button, curvePlot, html } from "./parts.js";
import { STYLE } from "./style.js";
import { ComputingWidget, whenIdle, widgetOf } from "./widget.js";

const TRAINED_HERE = "trained in this page; the start: stored numbers";

class GroupSizes extends ComputingWidget {
  constructor(model, el) {
    super(model, el);
    // What the engine needs is there before the reader presses Train: the first point comes at once.
    if (this.engine.warm) whenIdle(() => this.engine.warm());
  }

  /** The page's engine trains the nets of a race; Python knows which nets a state means. */
  makeEngine() {
    const { model, options } = this, engine = chooseEngine(model, options, () => this.show());
    if (model.bnlabHost !== "static") return engine;
    const start = (state, sink, paused) => engine.start(raceOf(state, options), sink, paused);
    return {
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
    this.go = button({ text: "Train", kind: "bnlab-main", onClick: () => this.train() });
    this.halt = button({ text: "Stop", onClick: () => this.running?.stop() });
    this.panels = Object.fromEntries(
      Object.entries(START_PANELS).map(([quantity, look]) => [quantity, this.own(depthPanel(look))]));
    const names = Object.keys(options.start);
    const plot = (title, scale) => this.own(curvePlot({ title, scale, steps: options.steps, names }));
    this.plots = {
      loss: plot("training loss (mean of 5 steps)", "loss"),
      accuracy: plot("validation accuracy", "accuracy"),
    };
  }

  layOut() {
    const { predict, ...others } = this.controls;
    const plots = (parts) => html("div", { class: "bnlab-plots" },
      ...Object.values(parts).map((part) => part.element));
    return {
      kind: "groups", title: "How large should a group be?",
      controls: [
        ...Object.values(others).map(({ element }) => element),
        html("div", { class: "bnlab-actions" }, this.go.element, this.halt.element, predict.element),
        html("p", { class: "bnlab-caption" }, this.options.instance),
      ],
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

  arrived() {
    if (!this.state.predict) this.train();
  }

  change(part) {
    super.change(part);
    this.redraw();  // the start follows every change, trained or not
  }

  // ---- training --------------------------------------------------------------------------------

  train() {
    if (this.asking && this.guess === null) { this.note.now("Guess first, then press Reveal."); return; }
    this.revealed = true;
    this.start();
  }

  start() {
    this.drop();
    this.note.now("");
    this.verdict.now("");
    const race = this.result = newRace(raceOf(this.state, this.options));
    race.key = groupsKey(this.state);
    this.compute({
      points: (name, points) => addPoints(race, name, points),
      end: (phase) => this.end(race, phase),
    });
    this.show();
    this.draw();
  }

  end(race, phase) {
    race.phase = phase;
    if (this.state.predict) this.verdict.now(verdictText(race, this.guess));
    this.show();
    this.draw();
  }

  // ---- what is seen ----------------------------------------------------------------------------

  show() {
    super.show();
    this.go.setText(this.asking ? "Reveal" : "Train");
    this.go.enable(!this.asking || this.guess !== null);
    this.halt.enable(this.running !== null);
  }

  question() {
    return {
      text: "Which one ends with the highest validation accuracy?",
      items: guesses(groupVariants(this.state, this.options)),
    };
  }

  draw() {
    this.redraw.cancel();
    this.drawStart();
    const { result: race, plots } = this, seen = race && hasPoints(race);
    const names = seen ? race.state.norms : [];
    for (const which of ["loss", "accuracy"]) {
      const curves = names.map((name) => {
        const { [which]: points, divergedAt } = race.curves.get(name);
        return { name, points, divergedAt };
      });
      const alt = seen ? altText(race, which, names) : untrainedText(which);
      plots[which].draw(curves, alt, seen ? race.key : "");
    }
    const text = seen ? summaryText(race, this.options.steps) : this.emptyText();
    if (seen && race.phase === "training") this.summary.soon(text);
    else this.summary.now(text);
  }

  drawStart() {
    const { state, options } = this, { depth } = state;
    for (const [quantity, panel] of Object.entries(this.panels)) {
      const curves = groupVariants(state, options).map((name) =>
        ({ name, rows: options.start[name][depth][quantity] }));
      const alt = startText(curves, quantity, state, options.start_seeds);
      panel.draw(curves, { layers: depth, word: "layer", key: groupsKey(state), alt });
    }
  }

  emptyText() {
    if (this.asking) return "The outcome is hidden until a guess is made.";
    if (this.result?.phase === "training") return "Training begins.";
    return this.result ? "Nothing was trained." : "Above: nets before their first step. Press Train.";
  }
}

export default widgetOf(GroupSizes);
