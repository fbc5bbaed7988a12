// Race: nets that differ in their normalizer alone, trained side by side.

import { layerView } from "./layer_view.js";
import { parseQuery, writeQuery } from "./link_state.js";
import {
  addPoints, altText, countedText, guesses, hasPoints, newRace, settingKey, summaryText, untrainedText,
  verdictText,
} from "./outcome.js";
import { chooseEngine } from "./page_engine.js";
import { button, curvePlot, html, legend, toggles } from "./parts.js";
import { STYLE } from "./style.js";
import { ComputingWidget, whenIdle, widgetOf } from "./widget.js";

const FEWEST = 2;  // nets in a race

class Race extends ComputingWidget {
  constructor(model, el) {
    super(model, el);
    // What the engine needs is there before the reader presses Train: the first point comes at once.
    if (this.engine.warm) whenIdle(() => this.engine.warm());
  }

  makeEngine() { return chooseEngine(this.model, this.options, () => this.show()); }

  prepare() {
    super.prepare();
    this.hidden = new Set();  // curves switched off
  }

  makeParts() {
    const { options, state } = this;
    this.controls = {
      norms: toggles({
        label: "normalizers", chosen: state.norms, atLeast: FEWEST,
        items: options.norms.map(({ name, enabled, reason }) =>
          ({ value: name, text: STYLE[name].short, swatchOf: name, reason: enabled ? "" : reason })),
        onChange: (norms) => this.set({ norms }),
        onRefuse: (why) => this.note.now(`Not changed: ${why}.`),
      }),
      lr: this.range("lr", "learning rate", options.lrs),
      batch_size: this.one("batch_size", "batch size (images)", options.batch_sizes),
      depth: this.range("depth", "depth (layers)", options.depths),
      ...(options.noises && {
        noise: this.range("noise", "noise (times the paper's)", options.noises),
      }),
      seed: this.range("seed", "random seed", options.seeds),
      predict: this.predictBox(),
    };
    this.go = button({ text: "Train", kind: "bnlab-main", onClick: () => this.train() });
    this.halt = button({ text: "Stop", onClick: () => this.running?.stop() });
    this.hold = button({ text: "Pause", onClick: () => this.pause() });
    this.single = button({
      text: "One step", title: "Train on one batch, then pause", onClick: () => this.step(),
    });
    this.legend = legend((norm, on) => this.switchCurve(norm, on));
    const names = options.norms.filter(({ enabled }) => enabled).map(({ name }) => name);
    const plot = (title, scale) => this.own(curvePlot({ title, scale, steps: options.steps, names }));
    this.plots = {
      loss: plot("training loss (mean of 5 steps)", "loss"),
      accuracy: plot("validation accuracy", "accuracy"),
    };
    this.layers = options.units ? this.own(layerView({ units: options.units })) : null;
  }

  layOut() {
    const { predict, ...others } = this.controls;
    return {
      kind: "race", title: "Race: which one learns?",
      controls: [
        ...Object.values(others).map(({ element }) => element),
        html("div", { class: "bnlab-actions" }, this.go.element, this.hold.element,
          this.single.element, this.halt.element, predict.element),
      ],
      body: [
        html("div", { class: "bnlab-stage" },
          html("div", { class: "bnlab-plots" }, this.plots.loss.element, this.plots.accuracy.element),
          this.guessBox.element),
        ...(this.layers ? [this.layers.element] : []),
        this.verdict.element, this.legend.element, this.summary.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return settingKey(state); }

  write() { return `${settingKey(this.state)}&${writeQuery(this.state, ["predict"])}`; }

  parse(query) {
    const { options } = this;
    const lists = { lr: options.lrs, batch_size: options.batch_sizes, depth: options.depths, seed: options.seeds };
    if (options.noises) lists.noise = options.noises;
    const offered = options.norms.filter((norm) => norm.enabled).map((norm) => norm.name);
    return parseQuery(query, lists, { offered, fewest: FEWEST });
  }

  arrived() {
    if (!this.state.predict) this.train();
  }

  switchCurve(norm, on) {
    if (on) this.hidden.delete(norm);
    else this.hidden.add(norm);
    this.draw();
  }

  // ---- training --------------------------------------------------------------------------------

  train() {
    if (this.asking && this.guess === null) { this.note.now("Guess first, then press Reveal."); return; }
    this.revealed = true;
    this.start();
  }

  pause() {
    if (!this.running) return;
    const paused = this.result.phase !== "paused";
    this.running[paused ? "pause" : "resume"]();
    this.result.phase = paused ? "paused" : "training";
    this.show();
    this.draw();
  }

  /** One batch for each net, then a pause; from the beginning if nothing is trained now. */
  step() {
    if (!this.running) {
      this.revealed = true;
      this.start(true);
    }
    if (!this.running?.step) return;
    this.running.step();
    this.result.phase = "paused";
    this.show();
    this.draw();
  }

  start(paused = false) {
    this.drop();
    this.note.now("");
    this.verdict.now("");
    const race = this.result = newRace(this.state);
    this.compute({
      points: (norm, points) => addPoints(race, norm, points),
      end: (phase) => this.end(race, phase),
    }, paused);
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
    if (this.controls.noise) {
      this.controls.noise.element.hidden = !this.state.norms.includes("noisy_batch");
    }
    this.legend.set(this.state.norms, this.hidden);
    this.go.setText(this.asking ? "Reveal" : "Train");
    this.go.enable(!this.asking || this.guess !== null);
    this.halt.enable(this.running !== null);
    for (const part of [this.hold, this.single]) part.element.hidden = !this.engine.pauses;
    this.hold.enable(this.running !== null);
    this.hold.setText(this.result?.phase === "paused" ? "Continue" : "Pause");
    this.single.enable(!this.asking);
  }

  question() {
    return {
      text: "Which one ends with the highest validation accuracy?", items: guesses(this.state.norms),
    };
  }

  draw() {
    this.redraw.cancel();
    const { result: race, plots, options } = this;
    const seen = race && hasPoints(race);
    const names = seen ? race.state.norms.filter((norm) => !this.hidden.has(norm)) : [];
    for (const which of ["loss", "accuracy"]) {
      const curves = names.map((name) => {
        const { [which]: points, divergedAt } = race.curves.get(name);
        return { name, points, divergedAt };
      });
      const alt = seen ? altText(race, which, names) : untrainedText(which);
      plots[which].draw(curves, alt, seen ? settingKey(race.state) : "");
    }
    this.layers?.draw(seen ? race : null, names);
    if (!seen) this.summary.now(this.emptyText());
    else if (race.phase === "training") this.summary.soon(summaryText(race, options.steps));
    else this.summary.now(summaryText(race, options.steps) + this.counted());
  }

  /** A word on the evidence, if these curves are a part of it to the last bit. */
  counted() {
    const { result: race, engine, options } = this;
    const whole = race.phase === "finished" && engine.name === "page";
    return whole ? countedText(race.state, options.counted) : "";
  }

  emptyText() {
    if (this.asking) return "The outcome is hidden until a guess is made.";
    if (this.result?.phase === "training") return "Training begins.";
    return this.result ? "Nothing was trained." : "Press Train to begin.";
  }
}

export default widgetOf(Race);
