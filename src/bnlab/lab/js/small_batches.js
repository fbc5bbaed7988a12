// SmallBatches: nets on small or alike batches, with three accuracies of each.

import { parseQuery, writeQuery } from "./link_state.js";
import { guesses, verdictText } from "./outcome.js";
import { chooseEngine } from "./page_engine.js";
import { button, curvePlot, html, legend, swatch, toggles } from "./parts.js";
import {
  ACCURACIES, addContent, classesText, emptyPlotText, hasContent, newOutcome, outcomeText, plotText,
  smallKey, TABLE_HEAD, tableRows,
} from "./small_batches_words.js";
import { STYLE } from "./style.js";
import { ComputingWidget, whenIdle, widgetOf } from "./widget.js";

class SmallBatches extends ComputingWidget {
  constructor(model, el) {
    super(model, el);
    if (this.engine.warm) whenIdle(() => this.engine.warm());
  }

  makeEngine() { return chooseEngine(this.model, this.options, () => this.show()); }

  prepare() {
    super.prepare();
    this.hidden = new Set();  // curves switched off
  }

  makeParts() {
    const { options, state } = this, { stops } = options;
    const classes = stops.classes.map((value) => ({ value, text: classesText(value) }));
    this.controls = {
      norms: toggles({
        label: "nets", chosen: state.norms,
        items: options.norms.map((name) => ({ value: name, text: STYLE[name].short, swatchOf: name })),
        onChange: (norms) => this.set({ norms }),
        onRefuse: (why) => this.note.now(`Not changed: ${why}.`),
      }),
      batch_size: this.one("batch_size", "batch size (images)", stops.batch_size),
      classes: this.one("classes", "images of a batch", classes),
      r_max: this.range("r_max", "r at most (renorm)", stops.r_max),
      d_max: this.range("d_max", "d at most (renorm)", stops.d_max),
      lr: this.range("lr", "learning rate", stops.lr),
      seed: this.range("seed", "random seed", stops.seed),
      predict: this.predictBox(),
    };
    this.go = button({ text: "Train", kind: "bnlab-main", onClick: () => this.train() });
    this.halt = button({ text: "Stop", onClick: () => this.running?.stop() });
    this.legend = legend((norm, on) => this.switchCurve(norm, on));
    const plot = (title, scale) =>
      this.own(curvePlot({ title, scale, steps: options.steps, names: options.norms }));
    this.plots = { loss: plot("training loss (mean of 5 steps)", "loss") };
    for (const [which, title] of Object.entries(ACCURACIES)) this.plots[which] = plot(title, "accuracy");
    this.rows = html("tbody");
    this.table = html("table", { class: "bnlab-ends" },
      html("caption", {}, "Accuracies so far; recomputed statistics at the end"),
      html("thead", {}, html("tr", {}, ...TABLE_HEAD.map((text) => html("th", { scope: "col" }, text)))),
      this.rows);
  }

  layOut() {
    const { predict, ...others } = this.controls;
    return {
      kind: "small-batches", title: "Small batches: which accuracy do you believe?",
      controls: [
        ...Object.values(others).map(({ element }) => element),
        html("div", { class: "bnlab-actions" }, this.go.element, this.halt.element, predict.element),
      ],
      body: [
        html("div", { class: "bnlab-stage" },
          html("div", { class: "bnlab-plots" }, ...Object.values(this.plots).map(({ element }) => element)),
          this.guessBox.element),
        this.table, this.verdict.element, this.legend.element, this.summary.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return smallKey(state); }

  write() { return `${smallKey(this.state)}&${writeQuery(this.state, ["predict"])}`; }

  parse(query) {
    const { stops, norms } = this.options;
    return parseQuery(query, stops, { offered: norms, fewest: 1 });
  }

  arrived() {
    if (!this.state.predict) this.train();
  }

  switchCurve(norm, on) {
    if (on) this.hidden.delete(norm);
    else this.hidden.add(norm);
    this.draw();
  }

  // ---- training ----------------------------------------------------------------------------------

  train() {
    if (this.asking && this.guess === null) { this.note.now("Guess first, then press Reveal."); return; }
    this.revealed = true;
    this.start();
  }

  start() {
    this.drop();
    this.note.now("");
    this.verdict.now("");
    const outcome = this.result = newOutcome(this.state);
    this.compute({
      points: (norm, content) => addContent(outcome, norm, content),
      end: (phase) => this.end(outcome, phase),
    });
    this.show();
    this.draw();
  }

  end(outcome, phase) {
    outcome.phase = phase;
    if (this.state.predict) this.verdict.now(verdictText(outcome, this.guess));
    this.show();
    this.draw();
  }

  // ---- what is seen ------------------------------------------------------------------------------

  show() {
    super.show();
    // The evidence for this chapter was trained by PyTorch.
    if (this.engine.name === "page") this.badge.set("in this page, same bits as in Python");
    const renorm = this.state.norms.includes("batch_renorm");
    for (const name of ["r_max", "d_max"]) this.controls[name].element.hidden = !renorm;
    this.legend.set(this.state.norms, this.hidden);
    this.go.setText(this.asking ? "Reveal" : "Train");
    this.go.enable(!this.asking || this.guess !== null);
    this.halt.enable(this.running !== null);
  }

  question() {
    return {
      text: "Which net is best in the end, with running statistics?", items: guesses(this.state.norms),
    };
  }

  draw() {
    this.redraw.cancel();
    const { result: outcome, plots, options } = this, seen = outcome && hasContent(outcome);
    const names = seen ? outcome.state.norms.filter((norm) => !this.hidden.has(norm)) : [];
    for (const [which, plot] of Object.entries(plots)) {
      const curves = names.map((name) => {
        const { [which]: points, divergedAt } = outcome.curves.get(name);
        return { name, points, divergedAt };
      });
      const alt = seen ? plotText(outcome, which, names) : emptyPlotText(which);
      plot.draw(curves, alt, seen ? smallKey(outcome.state) : "");
    }
    this.drawTable(seen ? tableRows(outcome) : []);
    if (!seen) this.summary.now(this.emptyText());
    else if (outcome.phase === "training") this.summary.soon(outcomeText(outcome, options.steps));
    else this.summary.now(outcomeText(outcome, options.steps));
  }

  drawTable(rows) {
    this.table.hidden = rows.length === 0;
    this.rows.replaceChildren(...rows.map(({ norm, cells }) => html("tr", {},
      html("th", { scope: "row" }, swatch(norm), " ", STYLE[norm].short),
      ...cells.map((text) => html("td", {}, text)))));
  }

  emptyText() {
    if (this.asking) return "The outcome is hidden until a guess is made.";
    if (this.result?.phase === "training") return "Training begins.";
    return this.result ? "Nothing was trained." : "Press Train to begin.";
  }
}

export default widgetOf(SmallBatches);
