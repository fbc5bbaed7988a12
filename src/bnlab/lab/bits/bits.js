// Bits: the signs of small binary nets as they flip in training, with what replaces BatchNorm.

import { curvePlot, legend } from "../kit/js/curve_plot.js";
import { html } from "../kit/js/elements.js";
import { parseQuery } from "../kit/js/link_state.js";
import { STYLE } from "../kit/js/style.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { widgetOf } from "../kit/js/widget.js";
import { bitsView } from "./bits_view.js";
import {
  addBits, aheadOfBits, BITS_PLOTS, BITS_SCALES, bitsGuesses, bitsHeadline, bitsKey, bitsPlotText, bitsQuery, bitsText,
  bitsVerdict, clipText, emptyBitsText, hasBits, layerNumber, netShown, newBits, settled, signsOf, signsText,
} from "./bits_words.js";

class Bits extends TrainingWidget {
  /** The page's worker is told the sizes of the layers too. */
  makeEngine() {
    const engine = super.makeEngine(), { batch_size, shapes } = this.options;
    if (this.model.bnlabHost !== "static") return engine;
    const start = (state, sink, paused) =>
      engine.start({ ...state, batch_size, layers: shapes[state.depth] }, sink, paused);
    return Object.assign(Object.create(engine), { start });
  }

  prepare() {
    Object.assign(STYLE, this.options.looks);
    super.prepare();
  }

  makeParts() {
    const { norms: names, choices, steps, layers, digits } = this.options;
    const items = names.map((name) => ({ value: name, text: STYLE[name].short, swatchOf: name }));
    const clips = choices.clip.map((value) => ({ value, text: clipText(value) }));
    this.controls = {
      norms: this.several("norms", "BatchNorm, or in its place", items),
      shortcuts: this.one("shortcuts", "shortcuts", choices.shortcuts),
      start: this.one("start", "first weights", choices.start),
      clip: this.one("clip", "gradient clipping", clips),
      optimizer: this.one("optimizer", "optimizer",
        choices.optimizer.map((value) => ({ value, text: value === "adam" ? "Adam" : "SGD" }))),
      depth: this.one("depth", "blocks", choices.depth),
      lr: this.range("lr", "learning rate", choices.lr),
      seed: this.range("seed", "random seed", choices.seed),
      net: this.one("net", "signs of", items),
      layer: this.one("layer", "layer", layers),
      predict: this.predictBox(),
    };
    this.legend = legend((name, on) => this.switchCurve(name, on));
    this.plots = Object.fromEntries(Object.entries(BITS_PLOTS).map(([which, title]) =>
      [which, this.own(curvePlot({ title, scale: BITS_SCALES[which], steps, names }))]));
    for (const [which, { element }] of Object.entries(this.plots)) element.dataset.plot = which;
    this.view = bitsView({ digits, side: Math.sqrt(digits[0].length) });
  }

  layOut() {
    const { net, layer, predict, ...others } = this.controls, { controls } = this;
    this.controls = { ...others, predict };
    const rows = this.controlRows(this.go, this.halt);
    this.controls = controls;
    return {
      kind: "bits", title: "Binary nets: which signs flip?", controls: rows,
      body: [
        html("div", { class: "bnlab-stage" },
          html("div", { class: "bnlab-plots" },
            html("div", { class: "bnlab-signs-part" },
              html("div", { class: "bnlab-signs-choice" }, net.element, layer.element), this.view.element),
            ...Object.values(this.plots).map(({ element }) => element)),
          this.guessBox.element),
        this.verdict.element, this.legend.element, this.summary.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return bitsKey(state); }

  write() { return bitsQuery(this.state); }

  parse(query) {
    const { choices, norms: offered, layers } = this.options;
    return parseQuery(query, { ...choices, net: offered, layer: layers }, { offered, fewest: 1 });
  }

  /** Other signs need no other training; the BN-free block needs its shortcuts. */
  change(part) {
    const { block } = this.options, wanted = settled({ ...this.state, ...part }, part, block);
    const isOther = wanted.shortcuts !== (part.shortcuts ?? this.state.shortcuts)
      || (part.norms ?? this.state.norms).includes(block) !== wanted.norms.includes(block);
    super.change(wanted);
    if (isOther) this.note.now("The BN-free block is only there with shortcuts: both were changed.");
    this.show();
    this.redraw();
  }

  // ---- training ----------------------------------------------------------------------------------

  begun() { return newBits(this.state); }
  add(outcome, name, content) { addBits(outcome, name, content); }
  judged(outcome) { return bitsVerdict(outcome, this.guess); }

  // ---- what is seen ------------------------------------------------------------------------------

  show() {
    super.show();
    if (this.engine.name === "page") this.badge.set("in this page, same bits as in Python");
    this.legend.set(this.state.norms, this.hidden);
  }

  question() {
    return { text: "Which one ends with the highest validation accuracy?", items: bitsGuesses(this.state.norms) };
  }

  isSeen(outcome) { return hasBits(outcome); }

  drawResult(outcome) {
    this.drawCurves(outcome, this.plots, {
      shown: outcome && bitsKey(outcome.state), alt: bitsPlotText, emptyAlt: emptyBitsText,
    });
    this.drawSigns(outcome);
  }

  drawSigns(outcome) {
    const { state: { net, layer }, options: { shapes, every } } = this, { depth } = outcome?.state ?? this.state;
    const number = layerNumber(layer, depth);
    if (!outcome) return this.view.draw(null, null, shapes[depth][number]);
    const name = netShown(outcome, net), curve = outcome.curves.get(name);
    const found = signsOf(curve, number);
    const texts = found && signsText(name, curve, number, depth, found, every);
    return this.view.draw(found, texts, shapes[depth][number]);
  }

  headlineOf(outcome) { return outcome.phase === "finished" ? bitsHeadline(outcome) : aheadOfBits(outcome); }
  runningHeadline(outcome) { return aheadOfBits(outcome); }

  told(outcome) { return bitsText(outcome, this.options.steps); }
}

export default widgetOf(Bits);
