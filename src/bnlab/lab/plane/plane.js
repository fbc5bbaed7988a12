// Plane: gamma and learning rate; a click trains the net of that point and shows what happened.

import { curvePlot } from "../kit/js/curve_plot.js";
import { html } from "../kit/js/elements.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import { button } from "../kit/js/parts.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { widgetOf } from "../kit/js/widget.js";
import {
  addToPoint, allCells, cellName, chosen, newPoint, placeText, planeHeadline, planeKey, planeText, pointText,
  predictedRate, settingWords,
} from "./plane_state.js";
import { planeView } from "./plane_view.js";

const CONTROLS = ["norm", "depth", "momentum", "seed"];
const OUTCOMES = [{ value: "trains", text: "it trains" }, { value: "diverges", text: "it diverges" }];

class Plane extends TrainingWidget {
  prepare() {
    super.prepare();
    this.kept = new Map();   // what was trained: points by plane and cell
    this.waiting = [];       // cells that are still to be trained
  }

  makeParts() {
    const { options } = this;
    const names = options.norms.map((value) => ({ value, text: value, swatchOf: value }));
    this.controls = {
      norm: this.one("norm", "normalizer", names),
      depth: this.one("depth", "depth (hidden layers)", options.depths),
      momentum: this.one("momentum", "momentum", options.momentums),
      seed: this.one("seed", "random seed", options.seeds),
      predict: this.predictBox(),
    };
    this.all = button({
      text: "Train all", kind: "bnlab-always", title: "Train every point; not while Predict first is ticked", onClick: () => this.trainAll(),
    });
    this.view = this.own(planeView({
      options, onMove: ([gamma, rate]) => this.set({ gamma, rate }), onTrain: () => this.train(),
    }));
    this.curve = this.own(curvePlot({
      title: "training loss at the chosen point",
      scale: "loss", steps: options.steps, names: options.norms,
    }));
  }

  layOut() {
    return {
      kind: "plane", title: "Plane: train or diverge?",
      controls: this.controlRows(this.go, this.all, this.halt),
      body: [
        html("div", { class: "bnlab-two" }, this.view.element,
          html("div", { class: "bnlab-stage" },
            html("div", { class: "bnlab-plots bnlab-single" }, this.curve.element),
            this.guessBox.element)),
        this.verdict.element, this.summary.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return `${planeKey(state)}&gamma=${state.gamma}&rate=${state.rate}`; }

  write() { return writeQuery(this.state, [...CONTROLS, "gamma", "rate", "predict"]); }

  parse(query) {
    const { norms, depths, momentums, seeds, gammas, rates } = this.options;
    return parseQuery(query, {
      norm: norms, depth: depths, momentum: momentums, seed: seeds, gamma: gammas, rate: rates,
    });
  }

  get points() {
    const key = planeKey(this.state);
    if (!this.kept.has(key)) this.kept.set(key, new Map());
    return this.kept.get(key);
  }
  get name() { return cellName(chosen(this.state)); }
  get point() { return this.points.get(this.name); }
  /** A guess is asked for at points that nobody has seen. */
  get asking() { return this.state.predict && !this.point; }
  /** A scene that hides nothing is about all points. */
  get played() {
    const cells = this.state.predict ? [chosen(this.state)] : allCells(this.options, this.state);
    return !this.running && cells.every((cell) => this.points.get(cellName(cell))?.done);
  }

  /** What Space does. */
  act() {
    if (this.state.predict) super.act();
    else this.trainAll();
  }

  clear() {
    this.dropAll(planeKey(this.state));
    this.kept.clear();
    super.clear();
  }

  /** Another plane: what runs is dropped. Another point of it: the training goes on. */
  change(part) {
    const before = this.state;
    this.state = { ...before, ...part };
    const same = this.key(this.state) === this.key(before);
    if (same && this.state.predict === before.predict) return;
    if (same && before.predict && this.point?.done) return this.show();  // what was seen stays
    const other = planeKey(this.state) !== planeKey(before);
    this.guess = null;
    this.guessBox.forget();
    this.verdict.now("");
    this.note.now("");
    if (other) {
      this.dropAll(planeKey(before));
      if (this.repeats && !this.asking) this.restart();
    }
    this.show();
    this.draw();
  }

  // ---- training --------------------------------------------------------------------------------

  /** The chosen point first, then what was still to be trained. */
  start() {
    if (this.point?.done) { this.end(); return; }
    const cell = chosen(this.state), rest = this.waiting.filter((one) => cellName(one) !== this.name);
    this.run([cell, ...rest]);
  }

  trainAll() {
    this.revealed = true;
    this.run(allCells(this.options, this.state).filter((cell) => !this.points.get(cellName(cell))?.done));
  }

  run(cells) {
    this.dropAll(planeKey(this.state));
    this.note.now("");
    this.waiting = cells;
    if (!cells.length) { this.end(); return; }
    const { points, options } = this;
    this.compute({
      points: (name, content) => {
        if (!points.has(name)) points.set(name, newPoint());
        const point = points.get(name);
        addToPoint(point, content, options.unit);
        if (!point.done) return;
        this.waiting = this.waiting.filter((cell) => cellName(cell) !== name);
        if (name === this.name) this.judge();
      },
      end: () => this.end(),
    });
    this.show();
    this.draw();
  }

  compute(sink) {
    const { batch_size, unit } = this.options, asked = this.state;
    // A kernel knows batch and unit itself, and would refuse keys that are not of its state.
    const more = this.engine.name === "kernel" ? {} : { batch_size, unit };
    this.state = { ...asked, ...more, cells: this.waiting };
    try { super.compute(sink); } finally { this.state = asked; }
  }

  /** Ends what runs; a point that is not done is forgotten. */
  dropAll(key) {
    this.drop();
    const points = this.kept.get(key) ?? new Map();
    for (const [name, point] of points) if (!point.done) points.delete(name);
  }

  end() {
    this.running = null;
    this.dropAll(planeKey(this.state));
    this.waiting = [];
    this.judge();
    this.show();
    this.draw();
  }

  judge() {
    if (this.guess === null || !this.point?.done) return;
    const right = (this.guess === "diverges") === (this.point.divergedAt !== null);
    const guessed = OUTCOMES.find(({ value }) => value === this.guess).text;
    this.verdict.now(`Guess: ${guessed}. ${right ? "Right" : "Not right"}: ${pointText(this.point)}.`);
  }

  // ---- what is seen ----------------------------------------------------------------------------

  show() {
    super.show();
    this.all.enable(!this.state.predict);
  }

  question() {
    const place = placeText(chosen(this.state), this.state.norm);
    return { text: `What happens at ${place}?`, items: OUTCOMES };
  }

  draw() {
    this.redraw.cancel();
    const { state, options, points, point } = this;
    this.view.draw({ state, points, key: planeKey(state), sentence: planeText(options, state, points) });
    const curves = point && (point.loss.length || point.divergedAt !== null)
      ? [{ name: state.norm, points: point.loss, divergedAt: point.divergedAt }] : [];
    const place = placeText(chosen(state), state.norm), words = pointText(point);
    this.curve.draw(curves, `Training loss at ${place}: ${words}.`, this.key(state));
    const left = this.running && this.waiting.length > 1 ? ` ${this.waiting.length} points to go.` : "";
    const star = predictedRate(options, state, chosen(state)[0]).toPrecision(2);
    const hidden = this.asking ? "The outcome is hidden until a guess is made." : `${words}.`;
    const text = `At ${place} (${settingWords(state)}; predicted border ${star}): ${hidden}${left}`;
    const headline = this.asking ? "" : planeHeadline(options, state, points);
    if (this.running) { this.summary.soon(text); this.headline.soon(headline); } else {
      this.summary.now(text);
      this.headline.now(headline);
    }
  }
}

export default widgetOf(Plane);
