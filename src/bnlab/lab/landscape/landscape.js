// Landscape: train to a step, then look along the gradient and over a plane.

import { html } from "../kit/js/elements.js";
import { STYLE } from "../kit/js/style.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { widgetOf } from "../kit/js/widget.js";
import {
  landscapeHeadline, landscapeKey, landscapeText, mapAlt, panelAlt, parseLandscape,
  QUANTITIES, rangeGuesses, rangeVerdict, writeLandscape,
} from "./landscape_state.js";
import { lossMaps } from "./loss_map.js";
import { short, slidePlot } from "./slide_plot.js";

const ENDS = { finished: "Finished. ", stopped: "Stopped. ", failed: "Broken off. " };

/** What was found, in the order in which the nets are offered. */
const inOrder = ({ state, found }) =>
  state.norms.filter((norm) => found.has(norm)).map((norm) => [norm, found.get(norm)]);

class Landscape extends TrainingWidget {
  makeParts() {
    const { options } = this;
    const items = options.norms.map((name) => ({ value: name, text: STYLE[name].short, swatchOf: name }));
    this.controls = {
      norms: this.several("norms", "normalizers", items),
      lr: this.range("lr", "learning rate", options.lrs),
      depth: this.range("depth", "depth (layers)", options.depths),
      step: this.range("step", "train to step", options.steps),
      seed: this.range("seed", "random seed", options.seeds),
      length: this.range("length", "step length (times the rate)", options.lengths, short),
      predict: this.predictBox(),
    };
    this.panels = Object.fromEntries(Object.entries(QUANTITIES).map(([quantity, { title }]) =>
      [quantity, this.own(slidePlot({ title, lengths: options.lengths, band: options.band }))]));
    this.maps = lossMaps({ positions: options.plane });
  }

  layOut() {
    const panels = Object.values(this.panels).map(({ element }) => element);
    return {
      kind: "landscape", title: "Landscape: how smooth is the way downhill?",
      controls: this.controlRows(this.go, this.halt),
      body: [
        html("div", { class: "bnlab-stage" },
          html("div", { class: "bnlab-plots" }, ...panels), this.guessBox.element),
        this.verdict.element, this.summary.element, this.maps.element],
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

  // ---- computing -------------------------------------------------------------------------------

  begun() { return { state: this.state, found: new Map(), phase: "training" }; }
  add(result, norm, content) { result.found.set(norm, content); }

  judged(result) {
    const whole = result.phase === "finished" && this.guess !== null;
    return whole ? rangeVerdict(result, this.options, this.guess) : "";
  }

  // ---- what is seen ----------------------------------------------------------------------------

  question() {
    return {
      text: "From half the rate to four times: whose loss has the widest range?",
      items: rangeGuesses(this.state.norms),
    };
  }

  isSeen(result) { return result.found.size > 0; }

  drawResult(result) {
    const { options } = this, marker = this.state.length, found = result ? inOrder(result) : [];
    const lit = found.filter(([, one]) => one.losses);
    for (const [quantity, { of, title }] of Object.entries(QUANTITIES)) {
      const curves = lit.map(([name, one]) => ({ name, values: of(one, options, result.state.lr) }));
      const key = result ? landscapeKey(result.state) : "";
      this.panels[quantity].draw(this.withGhosts(quantity, curves, key), {
        marker, key,
        alt: result ? panelAlt({ state: result.state, found }, quantity, options) : `${title}: nothing is trained yet.`,
      });
    }
    this.maps.draw(new Map(lit), { marker, alt: (name) => mapAlt(name, result.found.get(name)) });
  }

  headlineOf(result) {
    return result.phase === "finished" ? landscapeHeadline({ found: inOrder(result) }, this.options) : "";
  }

  told(result) {
    const { state, phase } = result, seen = { state, found: inOrder(result) };
    return `${ENDS[phase] ?? ""}${landscapeText(seen, this.options, this.state.length)}`;
  }
}

export default widgetOf(Landscape);
