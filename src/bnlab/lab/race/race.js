// Race: nets that differ in their normalizer alone, trained side by side.

import { curvePlot, legend } from "../kit/js/curve_plot.js";
import { html } from "../kit/js/elements.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import {
  addPoints, altText, countedText, guesses, hasPoints, newTraining, settingKey, summaryText, untrainedText,
  verdictText,
} from "../kit/js/outcome.js";
import { button } from "../kit/js/parts.js";
import { STYLE } from "../kit/js/style.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { widgetOf } from "../kit/js/widget.js";
import { layerView } from "./layer_view.js";

const FEWEST = 2;  // nets in a race

class Race extends TrainingWidget {
  makeParts() {
    const { options } = this;
    const items = options.norms.map(({ name, enabled, reason }) =>
      ({ value: name, text: STYLE[name].short, swatchOf: name, reason: enabled ? "" : reason }));
    this.controls = {
      norms: this.several("norms", "normalizers", items, { atLeast: FEWEST }),
      lr: this.range("lr", "learning rate", options.lrs),
      batch_size: this.one("batch_size", "batch size (images)", options.batch_sizes),
      depth: this.range("depth", "depth (layers)", options.depths),
      ...(options.noises && {
        noise: this.range("noise", "noise (times the paper's)", options.noises),
      }),
      seed: this.range("seed", "random seed", options.seeds),
      predict: this.predictBox(),
    };
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
    return {
      kind: "race", title: "Race: which one learns?",
      controls: this.controlRows(this.go, this.hold, this.single, this.halt),
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

  // ---- training --------------------------------------------------------------------------------

  pause() {
    if (!this.running) return;
    const paused = this.result.phase !== "paused";
    this.running[paused ? "pause" : "resume"]();
    this.result.phase = paused ? "paused" : "training";
    this.show();
    this.draw();
  }

  /**
   * One batch for each net, then a pause; from the beginning if nothing is trained now, but a race
   * that was seen is not thrown away at once.
   */
  step() {
    if (!this.running && this.result?.phase !== "failed" && this.result && this.result !== this.seenToTheEnd) {
      this.seenToTheEnd = this.result;
      this.note.now("This race is over. Press One step once more to begin anew at step 1.");
      return;
    }
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

  begun() { return newTraining(this.state); }
  add(race, norm, points) { addPoints(race, norm, points); }
  judged(race) { return verdictText(race, this.guess); }

  // ---- what is seen ----------------------------------------------------------------------------

  show() {
    super.show();
    if (this.controls.noise) {
      this.controls.noise.element.hidden = !this.state.norms.includes("noisy_batch");
    }
    this.legend.set(this.state.norms, this.hidden);
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

  isSeen(race) { return hasPoints(race); }

  drawResult(race) {
    const shown = race && settingKey(race.state);
    const names = this.drawCurves(race, this.plots, { shown, alt: altText, emptyAlt: untrainedText });
    this.layers?.draw(race, names);
  }

  told(race) { return summaryText(race, this.options.steps) + this.counted(); }

  /** A word on the evidence, if these curves are a part of it to the last bit. */
  counted() {
    const { result: race, engine, options } = this;
    const whole = race.phase === "finished" && engine.name === "page";
    return whole ? countedText(race.state, options.counted) : "";
  }
}

export default widgetOf(Race);
