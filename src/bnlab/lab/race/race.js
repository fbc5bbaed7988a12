// Race: nets that differ in their normalizer alone, trained side by side.

import { curvePlot, legend } from "../kit/js/curve_plot.js";
import { html, uniqueId } from "../kit/js/elements.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import {
  addPoints, altText, countedText, guesses, hasPoints, newTraining, settingKey, summaryText, untrainedText,
  verdictText,
} from "../kit/js/outcome.js";
import { button, checkbox } from "../kit/js/parts.js";
import { STYLE } from "../kit/js/style.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { widgetOf } from "../kit/js/widget.js";
import { addRun, hasRuns, newSeeds, seedsAlt, seedsHeadline, seedsText } from "./all_seeds.js";
import { digitsRow } from "./digits_row.js";
import { layerView } from "./layer_view.js";
import { raceHeadline } from "./race_headline.js";

const FEWEST = 2;  // nets in a race
const RARE = ["momentum", "weight_decay", "steps", "slow"];  // controls behind "More"

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
      momentum: this.one("momentum", "momentum", options.momenta),
      weight_decay: this.one("weight_decay", "weight decay", options.decays),
      steps: this.one("steps", "steps (batches)", options.lengths),
      slow: checkbox({
        label: "Slow motion (ten seconds)", value: this.state.slow, onChange: (slow) => this.set({ slow }),
      }),
      predict: this.predictBox(),
    };
    this.hold = button({ text: "Pause", onClick: () => this.pause() });
    this.single = button({
      text: "One step", title: "Train on one batch, then pause", onClick: () => this.step(),
    });
    this.all = button({
      text: "All seeds", title: `Train with all ${options.seeds.length} seeds, one after the other`,
      onClick: () => this.trainAll(),
    });
    this.more = this.fold();
    this.legend = legend((norm, on) => this.switchCurve(norm, on));
    const names = options.norms.filter(({ enabled }) => enabled).map(({ name }) => name);
    const plot = (title, scale) => this.own(curvePlot({ title, scale, steps: this.state.steps, names }));
    this.plots = {
      loss: plot("training loss (mean of 5 steps)", "loss"),
      accuracy: plot("validation accuracy", "accuracy"),
    };
    this.digits = digitsRow(options.seen);
    this.layers = options.units ? this.own(layerView({ units: options.units })) : null;
  }

  /** The rarer controls, and the button that shows them. */
  fold() {
    const id = uniqueId("more"), row = html("div", { class: "bnlab-more", id, hidden: true },
      ...RARE.map((name) => this.controls[name].element));
    const press = button({ text: "More", onClick: () => {
      show(row.hidden);
      row.scrollIntoView({ block: "nearest" });
    } });
    press.element.setAttribute("aria-controls", id);
    const show = (on) => {
      row.hidden = !on;
      press.element.setAttribute("aria-expanded", String(on));
    };
    show(false);
    return { row, press };
  }

  layOut() {
    const { row, press } = this.more;
    const controls = this.controlRows(this.go, this.hold, this.single, this.halt, this.all, press);
    return {
      kind: "race", title: "Race: which one learns?",
      controls: [...controls.filter((one) => !RARE.some((name) => this.controls[name].element === one)), row],
      body: [
        html("div", { class: "bnlab-stage" },
          html("div", { class: "bnlab-plots" }, this.plots.loss.element, this.plots.accuracy.element),
          this.guessBox.element),
        this.digits.element,
        ...(this.layers ? [this.layers.element] : []),
        this.verdict.element, this.legend.element, this.summary.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  /** What the rarer controls are in a link that does not name them. */
  get usual() { return { momentum: 0, weight_decay: 0, steps: this.options.lengths[0] }; }

  /** Names of the rarer settings that are not as usual, and the parts of a query with them. */
  unusual(state) {
    const keys = Object.keys(this.usual).filter((key) => state[key] !== this.usual[key]);
    return { keys, query: keys.length ? `&${writeQuery(state, keys)}` : "" };
  }

  key(state) { return settingKey(state) + this.unusual(state).query; }

  write() {
    const slow = this.state.slow ? ["slow"] : [];
    return `${this.key(this.state)}&${writeQuery(this.state, [...slow, "predict"])}`;
  }

  parse(query) {
    const { options } = this;
    const lists = {
      lr: options.lrs, batch_size: options.batch_sizes, depth: options.depths, seed: options.seeds,
      momentum: options.momenta, weight_decay: options.decays, steps: options.lengths, slow: [0, 1],
    };
    if (options.noises) lists.noise = options.noises;
    const offered = options.norms.filter((norm) => norm.enabled).map((norm) => norm.name);
    const { state, problems } = parseQuery(query, lists, { offered, fewest: FEWEST });
    if ("slow" in state) state.slow = state.slow === 1;
    return { state: { ...this.usual, ...state }, problems };
  }

  change(part) {
    const { slow } = this.state;
    super.change(part);
    if (this.state.slow === slow) return;
    this.controls.slow.set(this.state.slow);
    this.running?.pace?.(this.state.slow);
    this.showMore();
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

  /** The nets with one seed after the other. */
  trainAll() {
    if (this.asking || !this.engine.pauses) return;
    this.revealed = true;
    this.drop();
    this.note.now("");
    this.verdict.now("");
    const { seeds } = this.options, result = this.result = newSeeds(this.state, seeds);
    this.compute({
      points: (norm, run) => addRun(result, norm, run), end: (phase) => this.end(result, phase),
    }, false, { state: { ...this.state, seeds }, job: "all_seeds" });
    this.show();
    this.draw();
  }

  begun() { return newTraining(this.state); }
  add(race, norm, points) { addPoints(race, norm, points); }
  judged(race) { return race.isOfSeeds ? "" : verdictText(race, this.guess); }  // a guess is about one seed

  // ---- what is seen ----------------------------------------------------------------------------

  show() {
    super.show();
    if (this.controls.noise) {
      this.controls.noise.element.hidden = !this.state.norms.includes("noisy_batch");
    }
    this.legend.set(this.state.norms, this.hidden);
    for (const part of [this.hold, this.single, this.all]) part.element.hidden = !this.engine.pauses;
    this.hold.enable(this.running !== null);
    this.hold.setText(this.result?.phase === "paused" ? "Continue" : "Pause");
    this.single.enable(!this.asking && !this.result?.isOfSeeds);
    this.all.enable(!this.asking);
    this.showMore();
  }

  /** The button says what is not as usual: it may stand behind it. */
  showMore() {
    const words = { momentum: "momentum", weight_decay: "weight decay", steps: "steps" };
    const told = this.unusual(this.state).keys.map((key) => `${words[key]} ${this.state[key]}`);
    if (this.state.slow) told.push("slow motion");
    this.more.press.setText(told.length ? `More: ${told.join(", ")}` : "More");
  }

  question() {
    return {
      text: "Which one ends with the highest validation accuracy?", items: guesses(this.state.norms),
    };
  }

  isSeen(race) { return race.isOfSeeds ? hasRuns(race) : hasPoints(race); }

  drawResult(race) {
    const shown = race && this.key(race.state) + (race.isOfSeeds ? "&seeds=all" : "");
    const alt = race?.isOfSeeds ? seedsAlt : altText;
    this.rescale(race ?? this);
    const names = this.drawCurves(race, this.plots, { shown, alt, emptyAlt: untrainedText });
    this.digits.draw(race, this.state.norms);
    // Curves alone are stored; and of all seeds there is no one net.
    this.digits.element.hidden = this.engine.name === "replay" || this.result?.isOfSeeds === true;
    this.layers?.draw(race, names);
  }

  /** The axes are as long as the longest curve: a frozen one may be longer. */
  rescale({ state }) {
    const steps = Object.values(this.ghosts).flatMap(({ curves }) => curves.map(({ points }) => points.at(-1)?.[0] ?? 0));
    for (const plot of Object.values(this.plots)) plot.setSteps(Math.max(state.steps, ...steps));
  }

  /** What is drawn, as rows: one for each point of a net. */
  table() {
    const race = this.result, isAll = race?.isOfSeeds;
    const head = ["normalizer", "step", "training loss", "validation accuracy", ...(isAll ? ["seed"] : [])];
    if (!race || this.asking) return [head];
    const rowsOf = (norm, { loss, accuracy }, more = []) => {
      const losses = new Map(loss), accuracies = new Map(accuracy);
      const steps = [...new Set([...losses.keys(), ...accuracies.keys()])].sort((a, b) => a - b);
      return steps.map((step) => [norm, step, losses.get(step) ?? "", accuracies.get(step) ?? "", ...more]);
    };
    const rows = [...race.curves].flatMap(([norm, curve]) =>
      (isAll ? [...curve.runs].flatMap(([seed, run]) => rowsOf(norm, run, [seed])) : rowsOf(norm, curve)));
    return [head, ...rows];
  }

  headlineOf(race) {
    if (race.isOfSeeds) return seedsHeadline(race);
    return race.phase === "finished" ? raceHeadline(race) : "";
  }

  runningHeadline(race) { return race.isOfSeeds ? seedsHeadline(race) : ""; }

  told(race) {
    return race.isOfSeeds ? seedsText(race) : summaryText(race, race.state.steps) + this.counted();
  }

  /** A word on the evidence, if these curves are a part of it to the last bit. */
  counted() {
    const { result: race, engine, options } = this;
    const whole = race.phase === "finished" && engine.name === "page";
    return whole ? countedText(race.state, options.counted) : "";
  }
}

export default widgetOf(Race);
