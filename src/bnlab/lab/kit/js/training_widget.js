// What the widgets have in common whose nets train when the reader presses Train.

import { html } from "./elements.js";
import { chooseEngine } from "./page_engine.js";
import { button } from "./parts.js";
import { onceInView, whenIdle } from "./when.js";
import { ComputingWidget } from "./widget.js";

const BEFORE = "Pale, behind them: the curves that were frozen before.";

/**
 * A widget whose nets train when the reader presses Train. It has also
 *   begun()               what a training will have given: {phase: "training", ...}
 *   add(result, name, content)    takes in what is new about a net
 *   judged(result)        the words on a guess, when the training has ended
 *   isSeen(result)        whether there is something to draw
 *   drawResult(result)    draws it; null if nothing is seen
 *   told(result)          it in words
 *   headlineOf(result)    who won and by how much, in one sentence, when the training has ended
 *   runningHeadline(result)    the same while it trains; "" if there is nothing to say
 *   idleText              the words before the first training
 */
export class TrainingWidget extends ComputingWidget {
  constructor(model, el) {
    super(model, el);
    if (this.engine.warm) this.warmSoon();
    if (this.options.alive && model.bnlabHost === "static") this.own(onceInView(this.root, () => this.comeAlive()));
  }

  /** What the engine needs is there before the reader presses Train: the first point comes at once. */
  warmSoon() { whenIdle(() => this.engine.warm()); }

  /** It is seen for the first time. */
  comeAlive() { if (this.result === null && !this.asking) this.train(); }

  makeEngine() { return chooseEngine(this.model, this.options, () => this.engineChanged()); }

  /** Where nothing can be trained, what is stored is there at once: no empty axes. */
  engineChanged() {
    this.show();
    if (this.options.first && this.engine.name === "replay" && !this.result && !this.asking) this.train();
  }

  prepare() {
    super.prepare();
    this.hidden = new Set();  // curves switched off
    this.go = button({
      text: "Train", kind: "bnlab-main", onClick: () => this.train(), onRefuse: () => this.refuse(),
    });
    this.halt = button({ text: "Stop", onClick: () => this.running?.stop() });
    this.drawn = {};   // what each plot shows now: {curves, shown}
    this.ghosts = {};  // what each plot showed when it was frozen
    this.keep = button({
      text: "Freeze", title: "Keep these curves, pale, to compare others with", onClick: () => this.freeze(),
    });
  }

  get idleText() { return "Press Train to begin."; }

  /** The controls, and below them the buttons with "Predict first" at their end. */
  controlRows(first, ...buttons) {
    const { predict, ...others } = this.controls, elements = (parts) => parts.map(({ element }) => element);
    return [...elements(Object.values(others)),
      html("div", { class: "bnlab-actions" }, ...elements([first, this.keep, ...buttons, predict]))];
  }

  arrived() {
    if (!this.state.predict) this.train();
  }

  switchCurve(name, on) {
    if (on) this.hidden.delete(name);
    else this.hidden.add(name);
    this.draw();
  }

  clear() {
    this.hidden.clear();
    super.clear();
  }

  get played() { return super.played && this.result.phase === "finished"; }

  // ---- training --------------------------------------------------------------------------------

  train() {
    if (this.asking && this.guess === null) return this.refuse();
    this.revealed = true;
    this.start();
  }

  start(paused = false) {
    this.drop();
    this.note.now("");
    this.verdict.now("");
    const result = this.result = this.begun();
    this.compute({
      points: (name, content) => this.add(result, name, content),
      end: (phase) => this.end(result, phase),
    }, paused);
    this.show();
    this.draw();
  }

  end(result, phase) {
    result.phase = phase;
    if (this.state.predict) this.verdict.now(this.judged(result));
    this.show();
    this.draw();
  }

  // ---- ghosts ----------------------------------------------------------------------------------

  get frozen() { return Object.keys(this.ghosts).length > 0; }

  /** Keeps the curves that are drawn as ghosts, or lets the kept ones go. */
  freeze() {
    const copy = ([which, { curves, shown }]) =>
      [which, { shown, curves: structuredClone(curves).map((curve) => ({ ...curve, ghost: true, shown })) }];
    this.ghosts = this.frozen ? {} : Object.fromEntries(Object.entries(this.drawn).map(copy));
    this.draw();
  }

  showKeep() {
    this.keep.element.hidden = Object.keys(this.drawn).length === 0;  // nothing here has curves
    this.keep.setText(this.frozen ? "Unfreeze" : "Freeze");
    this.keep.enable(this.frozen || Object.values(this.drawn).some(({ curves }) => curves.length > 0));
  }

  /** The curves of a plot behind those kept from before; not behind themselves. */
  withGhosts(which, curves, shown) {
    this.drawn[which] = { curves, shown };
    const before = this.ghosts[which];
    if (!before || before.shown === shown) return curves;
    return [...before.curves.filter(({ name }) => !this.hidden.has(name)), ...curves];
  }

  // ---- what is seen ----------------------------------------------------------------------------

  show() {
    super.show();
    this.go.setText(this.asking ? "Reveal" : "Train");
    this.go.enable(!this.asking || this.guess !== null);
    this.halt.enable(this.running !== null);
  }

  draw() {
    this.redraw.cancel();
    const { result } = this, seen = result !== null && this.isSeen(result);
    this.drawResult(seen ? result : null);
    if (!seen) this.summary.now(this.emptyText());
    else if (result.phase === "training") this.summary.soon(this.told(result));
    else this.summary.now(this.told(result));
    this.showKeep();
    this.drawHeadline(seen ? result : null);
  }

  headlineOf() { return ""; }
  runningHeadline() { return ""; }

  drawHeadline(result) {
    const runs = ["training", "paused"].includes(result?.phase);
    if (runs) this.headline.soon(this.runningHeadline(result));
    else this.headline.now(result ? this.headlineOf(result) : "");
  }

  /**
   * Draws the curves of the nets, each of `plots` by its name in them; gives the nets that are drawn.
   * `shown` names their setting; `alt(result, which, names)` or `emptyAlt(which)` is the alt text;
   * `events` are steps at which something happens, see curve_plot.js.
   */
  drawCurves(result, plots, { shown, alt, emptyAlt, events = [] }) {
    const names = result ? result.state.norms.filter((name) => !this.hidden.has(name)) : [];
    for (const [which, plot] of Object.entries(plots)) {
      const curves = names.map((name) => {
        const { [which]: points, divergedAt, bands, batches = [] } = result.curves.get(name);
        // A reader who takes single steps sees each of them.
        const dots = which === "loss" && result.phase === "paused" ? batches : [];
        return { name, points, divergedAt, band: bands?.[which], dots };
      });
      const sentence = result ? alt(result, which, names) : emptyAlt(which), key = result ? shown : "";
      const all = this.withGhosts(which, curves, key), pale = all.length > curves.length;
      plot.draw(all, pale ? `${sentence} ${BEFORE}` : sentence, key, result ? events : []);
    }
    return names;
  }

  emptyText() {
    if (this.asking) return "The outcome is hidden until a guess is made.";
    if (this.result?.phase === "training") return "Training begins.";
    return this.result ? "Nothing was trained." : this.idleText;
  }
}
