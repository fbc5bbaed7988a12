// Race: nets that differ in their normalizer alone, trained side by side.

import { addressLink } from "./link.js";
import {
  addPoints, altText, countedText, guesses, hasPoints, newRace, settingKey, summaryText, untrainedText,
  verdictText,
} from "./outcome.js";
import { chooseEngine } from "./page_engine.js";
import {
  badge, button, checkbox, choice, curvePlot, fullScreen, guessBox, html, legend, liveText, perFrame,
  slider, throttle, toggles, uniqueId,
} from "./parts.js";
import { FEWEST, parseState, writeState } from "./race_address.js";
import { STYLE } from "./style.js";

class Race {
  constructor(model, el) {
    this.model = model;
    this.options = model.get("options");
    this.state = { ...model.get("state") };
    this.engine = chooseEngine(model, this.options, () => this.show());
    this.race = null;       // what is drawn: see newRace
    this.running = null;    // what the engine gave: {stop, cancel}
    this.trained = false;   // from the first Train on, a change of a control trains again
    this.guess = null;
    this.hidden = new Set();  // curves switched off
    this.redraw = perFrame(() => this.draw());
    this.restart = perFrame(() => this.start());
    this.saveModel = throttle(() => {
      model.set("state", this.state);
      model.save_changes();
    }, 200);
    this.makeParts();
    this.layOut(el);
    this.fromModel = () => this.change(model.get("state"));
    model.on("change:state", this.fromModel);
    this.show();
    this.draw();
    this.link.begin();
    // What the engine needs is there before the reader presses Train: the first point comes at once.
    if (this.engine.warm) whenIdle(() => this.engine.warm());
  }

  makeParts() {
    const { options, state } = this;
    const one = (name, label, items) =>
      choice({ label, items, value: state[name], onChange: (value) => this.set({ [name]: value }) });
    const range = (name, label, values) =>
      slider({ label, values, value: state[name], onInput: (value) => this.set({ [name]: value }) });
    this.controls = {
      norms: toggles({
        label: "normalizers", chosen: state.norms, atLeast: FEWEST,
        items: options.norms.map(({ name, enabled, reason }) =>
          ({ value: name, text: STYLE[name].short, swatchOf: name, reason: enabled ? "" : reason })),
        onChange: (norms) => this.set({ norms }),
        onRefuse: (why) => this.note.now(`Not changed: ${why}.`),
      }),
      lr: range("lr", "learning rate", options.lrs),
      batch_size: one("batch_size", "batch size (images)", options.batch_sizes),
      depth: range("depth", "depth (layers)", options.depths),
      seed: range("seed", "random seed", options.seeds),
      predict: checkbox({
        label: "Predict first", value: state.predict, onChange: (predict) => this.set({ predict }),
      }),
    };
    this.go = button({ text: "Train", kind: "bnlab-main", onClick: () => this.train() });
    this.halt = button({ text: "Stop", onClick: () => this.running?.stop() });
    this.hold = button({ text: "Pause", onClick: () => this.pause() });
    this.single = button({
      text: "One step", title: "Train on one batch, then pause", onClick: () => this.step(),
    });
    this.badge = badge();
    this.note = liveText({ kind: "bnlab-note" });
    this.summary = liveText({ kind: "bnlab-summary" });
    this.verdict = liveText({ kind: "bnlab-verdict" });
    this.legend = legend((norm, on) => this.switchCurve(norm, on));
    this.guessBox = guessBox({ hint: "In a lecture: let the room vote, pick its answer, press Reveal." });
    const names = options.norms.filter(({ enabled }) => enabled).map(({ name }) => name);
    const plot = (title, scale) => curvePlot({ title, scale, steps: options.steps, names });
    this.plots = {
      loss: plot("training loss (mean of 5 steps)", "loss"),
      accuracy: plot("validation accuracy", "accuracy"),
    };
    this.link = addressLink({
      site: this.model.bnlabHost === "static", name: options.replay,
      parse: (query) => parseState(query, options), write: () => writeState(this.state),
      onState: (part, problems) => this.fromLink(part, problems),
    });
  }

  layOut(el) {
    const id = uniqueId("title");
    const { norms, lr, batch_size, depth, seed, predict } = this.controls;
    this.root = html("section", { class: "bnlab bnlab-race", "aria-labelledby": id });
    this.screen = fullScreen(this.root);
    this.root.append(
      html("div", { class: "bnlab-head" },
        html("div", { class: "bnlab-title", id }, "Race: which one learns?"),
        this.link.element, this.screen.element, this.badge.element),
      html("div", { class: "bnlab-controls" },
        norms.element, lr.element, batch_size.element, depth.element, seed.element,
        html("div", { class: "bnlab-actions" }, this.go.element, this.hold.element,
          this.single.element, this.halt.element, predict.element)),
      this.note.element,
      html("div", { class: "bnlab-stage" },
        html("div", { class: "bnlab-plots" }, this.plots.loss.element, this.plots.accuracy.element),
        this.guessBox.element),
      this.verdict.element, this.legend.element, this.summary.element);
    el.append(this.root);
  }

  // ---- changes ---------------------------------------------------------------------------------

  /** A control was moved by the reader. */
  set(part) {
    this.change(part);
    this.saveModel();
    this.link.save();
  }

  /** The newest setting wins: what runs is dropped now, and a start follows in the next frame. */
  change(part) {
    const before = this.state;
    this.state = { ...before, ...part };
    const other = settingKey(this.state) !== settingKey(before);
    if (!other && this.state.predict === before.predict) return;
    this.drop();
    this.note.now("");
    if (this.state.predict || before.predict) this.forget();
    else if (this.trained) this.restart();
    this.show();
  }

  fromLink(part, problems) {
    if (part) {
      this.change(part);
      if (!this.state.predict) this.train();
    }
    if (problems.length) this.note.now(`The link was read in part: ${problems.join("; ")}.`);
    const scroll = () => this.root.scrollIntoView({ block: "start" });
    requestAnimationFrame(scroll);
    if (document.readyState !== "complete") addEventListener("load", scroll, { once: true });
  }

  switchCurve(norm, on) {
    if (on) this.hidden.delete(norm);
    else this.hidden.add(norm);
    this.draw();
  }

  // ---- training --------------------------------------------------------------------------------

  get asking() { return this.state.predict && !this.trained; }

  train() {
    if (this.asking && this.guess === null) { this.note.now("Guess first, then press Reveal."); return; }
    this.trained = true;
    this.start();
  }

  pause() {
    if (!this.running) return;
    const paused = this.race.phase !== "paused";
    this.running[paused ? "pause" : "resume"]();
    this.race.phase = paused ? "paused" : "training";
    this.show();
    this.draw();
  }

  /** One batch for each net, then a pause; from the beginning if nothing is trained now. */
  step() {
    if (!this.running) {
      this.trained = true;
      this.start(true);
    }
    if (!this.running?.step) return;
    this.running.step();
    this.race.phase = "paused";
    this.show();
    this.draw();
  }

  start(paused = false) {
    this.drop();
    this.restart.cancel();
    this.note.now("");
    this.verdict.now("");
    const race = this.race = newRace(this.state);
    let silent = false;
    const running = this.engine.start(this.state, {
      points: (norm, points) => {
        if (silent) this.note.now("");
        silent = false;
        addPoints(race, norm, points);
        this.redraw();
      },
      waiting: (text) => { silent = true; this.note.now(text); },
      note: (text) => this.note.now(text),
      finished: ({ stopped }) => this.end(race, stopped ? "stopped" : "finished"),
      error: (text) => { this.end(race, "failed"); this.note.now(text); },
    }, paused);
    if (race.phase === "training") this.running = running;
    this.show();
    this.draw();
  }

  end(race, phase) {
    race.phase = phase;
    this.running = null;
    if (this.state.predict) this.verdict.now(verdictText(race, this.guess));
    this.show();
    this.draw();
  }

  drop() {
    this.running?.cancel();
    this.running = null;
  }

  /** Back to the empty plots: a guess comes before the next training. */
  forget() {
    this.restart.cancel();
    this.race = this.guess = null;
    this.trained = false;
    this.verdict.now("");
    this.draw();
  }

  // ---- what is seen ----------------------------------------------------------------------------

  show() {
    for (const [name, control] of Object.entries(this.controls)) control.set(this.state[name]);
    this.badge.set(this.engine.badge);
    this.legend.set(this.state.norms, this.hidden);
    this.go.setText(this.asking ? "Reveal" : "Train");
    this.go.enable(!this.asking || this.guess !== null);
    this.halt.enable(this.running !== null);
    for (const part of [this.hold, this.single]) part.element.hidden = !this.engine.pauses;
    this.hold.enable(this.running !== null);
    this.hold.setText(this.race?.phase === "paused" ? "Continue" : "Pause");
    this.single.enable(!this.asking);
    if (this.asking) this.ask();
    else this.guessBox.close();
  }

  ask() {
    const question = "Which one ends with the highest validation accuracy?";
    this.guessBox.ask(question, guesses(this.state.norms), this.guess, (guess) => {
      this.guess = guess;
      this.show();
    });
  }

  draw() {
    this.redraw.cancel();
    const { race, plots, options } = this;
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
    if (!seen) this.summary.now(this.emptyText());
    else if (race.phase === "training") this.summary.soon(summaryText(race, options.steps));
    else this.summary.now(summaryText(race, options.steps) + this.counted());
  }

  /** A word on the evidence, if these curves are a part of it to the last bit. */
  counted() {
    const { race, engine, options } = this;
    const whole = race.phase === "finished" && engine.name === "page";
    return whole ? countedText(race.state, options.counted) : "";
  }

  emptyText() {
    if (this.asking) return "The outcome is hidden until a guess is made.";
    if (this.race?.phase === "training") return "Training begins.";
    return this.race ? "Nothing was trained." : "Press Train to begin.";
  }

  destroy() {
    if (this.running) this.running.stop();
    this.drop();
    this.engine.destroy?.();
    this.model.off("change:state", this.fromModel);
    for (const waiting of [this.redraw, this.restart, this.saveModel]) waiting.cancel();
    for (const part of [this.summary, this.note, this.verdict, this.screen, this.link]) part.destroy();
    for (const plot of Object.values(this.plots)) plot.destroy();
    this.root.remove();
  }
}

/** When the page has loaded and the browser has nothing else to do. */
function whenIdle(action) {
  const ask = () => (globalThis.requestIdleCallback ?? ((call) => setTimeout(call, 300)))(action);
  if (document.readyState === "complete") ask();
  else addEventListener("load", ask, { once: true });
}

function render({ model, el }) {
  const race = new Race(model, el);
  return () => race.destroy();
}

export default { render };
