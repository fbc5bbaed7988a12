// SmallBatches: nets on small or alike batches, with three accuracies of each.

import { curvePlot, legend } from "../kit/js/curve_plot.js";
import { html } from "../kit/js/elements.js";
import { headlineText } from "../kit/js/headline.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import { swatch } from "../kit/js/looks.js";
import { guesses, verdictText } from "../kit/js/outcome.js";
import { STYLE } from "../kit/js/style.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { widgetOf } from "../kit/js/widget.js";
import {
  ACCURACIES, addContent, classesText, emptyPlotText, hasContent, headlineAbout, newOutcome, outcomeText, plotText,
  smallKey, TABLE_HEAD, tableRows,
} from "./small_batches_words.js";

class SmallBatches extends TrainingWidget {
  makeParts() {
    const { options } = this, { stops } = options;
    const classes = stops.classes.map((value) => ({ value, text: classesText(value) }));
    const nets = options.norms.map((name) => ({ value: name, text: STYLE[name].short, swatchOf: name }));
    this.controls = {
      norms: this.several("norms", "nets", nets),
      batch_size: this.one("batch_size", "batch size (images)", stops.batch_size),
      classes: this.one("classes", "images of a batch", classes),
      r_max: this.range("r_max", "r at most (renorm)", stops.r_max),
      d_max: this.range("d_max", "d at most (renorm)", stops.d_max),
      lr: this.range("lr", "learning rate", stops.lr),
      seed: this.range("seed", "random seed", stops.seed),
      predict: this.predictBox(),
    };
    this.legend = legend((norm, on) => this.switchCurve(norm, on));
    const plot = (title, scale) =>
      this.own(curvePlot({ title, scale, steps: options.steps, names: options.norms }));
    this.plots = { loss: plot("training loss", "loss") };
    for (const [which, title] of Object.entries(ACCURACIES)) this.plots[which] = plot(title, "accuracy");
    this.plots.loss.element.classList.add("bnlab-spared");  // not needed on a slide
    this.rows = html("tbody");
    this.written = "";
    this.ends = html("table", { class: "bnlab-ends" },
      html("caption", {}, "share of images right; last three columns: the same new images (running: averages kept in training)"),
      html("thead", {}, html("tr", {}, ...TABLE_HEAD.map((text) => html("th", { scope: "col" }, text)))),
      this.rows);
  }

  layOut() {
    return {
      kind: "small-batches", title: "Small batches: which accuracy do you believe?",
      controls: this.controlRows(this.go, this.halt),
      body: [
        html("div", { class: "bnlab-stage" },
          html("div", { class: "bnlab-plots" }, ...Object.values(this.plots).map(({ element }) => element)),
          this.guessBox.element),
        this.ends, this.verdict.element, this.legend.element, this.summary.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return smallKey(state); }

  write() { return `${smallKey(this.state)}&${writeQuery(this.state, ["predict"])}`; }

  parse(query) {
    const { stops, norms } = this.options;
    return parseQuery(query, stops, { offered: norms, fewest: 1 });
  }

  // ---- training ----------------------------------------------------------------------------------

  begun() { return newOutcome(this.state); }
  add(outcome, norm, content) { addContent(outcome, norm, content); }
  judged(outcome) { return verdictText(outcome, this.guess); }

  // ---- what is seen ------------------------------------------------------------------------------

  show() {
    super.show();
    // The evidence for this chapter was trained by PyTorch.
    if (this.engine.name === "page") this.badge.set("in this page, same bits as in Python");
    const renorm = this.state.norms.includes("batch_renorm");
    for (const name of ["r_max", "d_max"]) this.controls[name].element.hidden = !renorm;
    this.legend.set(this.state.norms, this.hidden);
  }

  question() {
    return {
      text: "Which net is best in the end, with running statistics?", items: guesses(this.state.norms),
    };
  }

  isSeen(outcome) { return hasContent(outcome); }

  drawResult(outcome) {
    const shown = outcome && smallKey(outcome.state);
    this.drawCurves(outcome, this.plots, { shown, alt: plotText, emptyAlt: emptyPlotText });
    this.drawTable(outcome ? tableRows(outcome) : []);
  }

  headlineOf(outcome) { return outcome.phase === "finished" ? headlineText(outcome, headlineAbout(outcome.state)) : ""; }

  told(outcome) { return outcomeText(outcome, this.options.steps); }

  drawTable(rows) {
    const written = JSON.stringify(rows);
    if (written === this.written) return;
    this.written = written;
    this.ends.hidden = rows.length === 0;
    this.rows.replaceChildren(...rows.map(({ norm, cells }) => html("tr", {},
      html("th", { scope: "row" }, swatch(norm), " ", STYLE[norm].short),
      ...cells.map((text) => html("td", {}, text)))));
  }
}

export default widgetOf(SmallBatches);
