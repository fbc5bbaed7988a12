// Landscape: train to a step, then look along the gradient and over a plane.

import {
  landscapeKey, landscapeText, panelAlt, parseLandscape, planeAlt,
  QUANTITIES, rangeGuesses, rangeVerdict, writeLandscape,
} from "./landscape_state.js";
import { chooseEngine } from "./page_engine.js";
import { button, html, toggles } from "./parts.js";
import { planePlot } from "./plane_plot.js";
import { short, slidePlot } from "./slide_plot.js";
import { STYLE } from "./style.js";
import { ComputingWidget, whenIdle, widgetOf } from "./widget.js";

class Landscape extends ComputingWidget {
  constructor(model, el) {
    super(model, el);
    if (this.engine.warm) whenIdle(() => this.engine.warm());
  }

  makeEngine() { return chooseEngine(this.model, this.options, () => this.show()); }

  makeParts() {
    const { options, state } = this;
    this.controls = {
      norms: toggles({
        label: "normalizers", chosen: state.norms,
        items: options.norms.map((name) => ({ value: name, text: STYLE[name].short, swatchOf: name })),
        onChange: (norms) => this.set({ norms }),
        onRefuse: (why) => this.note.now(`Not changed: ${why}.`),
      }),
      lr: this.range("lr", "learning rate", options.lrs),
      depth: this.range("depth", "depth (layers)", options.depths),
      step: this.range("step", "train to step", options.steps),
      seed: this.range("seed", "random seed", options.seeds),
      length: this.range("length", "step length (times the rate)", options.lengths, short),
      predict: this.predictBox(),
    };
    this.go = button({ text: "Train", kind: "bnlab-main", onClick: () => this.train() });
    this.halt = button({ text: "Stop", onClick: () => this.running?.stop() });
    this.panels = Object.fromEntries(Object.entries(QUANTITIES).map(([quantity, { title }]) =>
      [quantity, this.own(slidePlot({ title, lengths: options.lengths, band: options.band }))]));
    this.planes = planePlot({ positions: options.plane });
  }

  layOut() {
    const { predict, ...others } = this.controls;
    const panels = Object.values(this.panels).map(({ element }) => element);
    return {
      kind: "landscape", title: "Landscape: what lies along the gradient?",
      controls: [
        ...Object.values(others).map(({ element }) => element),
        html("div", { class: "bnlab-actions" }, this.go.element, this.halt.element, predict.element),
      ],
      body: [
        html("div", { class: "bnlab-stage" },
          html("div", { class: "bnlab-plots" }, ...panels), this.guessBox.element),
        this.verdict.element, this.summary.element, this.planes.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return landscapeKey(state); }
  write() { return writeLandscape(this.state); }
  parse(query) { return parseLandscape(query, this.options); }

  /** The marker slides over what is known: nothing is computed again. */
  change(part) {
    const before = this.state.length;
    super.change(part);
    if (this.state.length === before) return;
    this.controls.length.set(this.state.length);
    this.redraw();
  }

  arrived() {
    if (!this.state.predict) this.train();
  }

  // ---- computing -------------------------------------------------------------------------------

  train() {
    if (this.asking && this.guess === null) { this.note.now("Guess first, then press Reveal."); return; }
    this.revealed = true;
    this.start();
  }

  start() {
    this.drop();
    this.note.now("");
    this.verdict.now("");
    const result = this.result = { state: this.state, found: new Map(), phase: "training" };
    this.compute({
      points: (norm, content) => result.found.set(norm, content),
      end: (phase) => this.end(result, phase),
    });
    this.show();
    this.draw();
  }

  end(result, phase) {
    result.phase = phase;
    const whole = phase === "finished" && this.state.predict && this.guess !== null;
    if (whole) this.verdict.now(rangeVerdict(result, this.options, this.guess));
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
      text: "From half the rate to four times: whose loss has the widest range?",
      items: rangeGuesses(this.state.norms),
    };
  }

  draw() {
    this.redraw.cancel();
    const { result, options } = this, marker = this.state.length;
    const found = result ? result.state.norms.filter((norm) => result.found.has(norm))
      .map((norm) => [norm, result.found.get(norm)]) : [];
    const lit = found.filter(([, one]) => one.losses);
    for (const [quantity, { of, title }] of Object.entries(QUANTITIES)) {
      const curves = lit.map(([name, one]) => ({ name, values: of(one, options, result.state.lr) }));
      this.panels[quantity].draw(curves, {
        marker, key: found.length ? landscapeKey(result.state) : "",
        alt: found.length ? panelAlt({ state: result.state, found }, quantity, options) : `${title}: nothing is trained yet.`,
      });
    }
    this.planes.draw(new Map(lit), { marker, alt: (name) => planeAlt(name, result.found.get(name)) });
    this.say(found);
  }

  say(found) {
    if (!found.length) { this.summary.now(this.emptyText()); return; }
    const { result, options } = this, text = landscapeText({ state: result.state, found }, options, this.state.length);
    const word = { finished: "Finished.", stopped: "Stopped.", failed: "Broken off." }[result.phase];
    if (word) this.summary.now(`${word} ${text}`);
    else this.summary.soon(text);
  }

  emptyText() {
    if (this.asking) return "The outcome is hidden until a guess is made.";
    if (this.result?.phase === "training") return "Training begins.";
    return this.result ? "Nothing was trained." : "Press Train to begin.";
  }
}

export default widgetOf(Landscape);
