// Repeat this verdict: its trainings are done again, row by row, then intervals and words follow.

import { html } from "../kit/js/elements.js";
import { button, choice } from "../kit/js/parts.js";
import { Widget, widgetOf } from "../kit/js/widget.js";
import { withMargins } from "./margins.js";
import { fileButtons } from "./repeat_file.js";
import { rowGrid } from "./repeat_grid.js";
import { partTable } from "./repeat_parts.js";
import { repeatKernel, repeatPool } from "./repeat_pool.js";
import { claimWith, isWhole, outcomeOf, rowsOf, secondsLeft, seedsOf, valuesOf, whyNotSeeds } from "./repeat_rows.js";
import { parseRepeat, writeRepeat } from "./repeat_link.js";
import { BACK, KEPT, progressText, repeatHeadline, repeatSummary, UNTRAINED } from "./repeat_words.js";

const SEED_CHOICES = [{ value: "own", text: "of the evidence" }, { value: "fresh", text: "fresh ones" }];

class Repeat extends Widget {
  prepare() {
    const { model, options } = this;
    this.engine = model.bnlabHost === "static" ? repeatPool(options) : repeatKernel(model, options);
    this.running = null;
    this.forget();
    this.decided = options.evidence;
    this.asked = 0;  // how often a verdict was asked for: the newest counts
    this.seen = () => { if (!document.hidden && this.phase === "training") this.note.now(BACK); };
    document.addEventListener("visibilitychange", this.seen);
    this.clock = setInterval(() => { if (this.phase === "training") this.drawProgress(); }, 1000);
  }

  /** Nothing of these seeds is trained yet. */
  forget() {
    const { arms, seeds } = this.options;
    this.phase = "idle";
    this.outcomes = arms.map(() => seeds.map(() => "waiting"));
    this.trained = new Map(arms.map(({ name }) => [name, []]));
    this.seconds = 0;     // in training, without pauses
    this.since = null;    // when the training went on
    this.done = this.cost = 0;
  }

  makeParts() {
    const { options, state } = this;
    this.seedChoice = choice({
      label: "seeds", items: SEED_CHOICES, value: state.start === null ? "own" : "fresh",
      onChange: (value) => this.chooseSeeds(value === "own" ? null : Number(this.first.value)),
    });
    this.first = html("input", {
      type: "number", class: "bnlab-margin", min: 0, step: 1, value: state.start ?? 5000, "aria-label": "first of the fresh seeds",
      onchange: () => this.chooseSeeds(Number(this.first.value)),
    });
    this.controls = {};
    this.go = button({ text: "Repeat", kind: "bnlab-main", onClick: () => this.begin() });
    this.hold = button({ text: "Pause", kind: "bnlab-always", onClick: () => this.pause() });
    this.halt = button({ text: "Stop", onClick: () => this.stop() });
    this.grid = rowGrid(options.arms.map(({ label }) => label), options.seeds.length);
    this.parts = partTable(options.claim, (name, text) => this.chooseMargin(name, text));
    this.files = fileButtons({
      claim: options.claim, current: () => this.result(), say: (text) => this.note.now(text), open: (file) => this.open(file),
    });
    this.bar = html("progress", { class: "bnlab-progress", max: 1, value: 0, "aria-label": "trainings done" });
    this.left = html("span", { class: "bnlab-soft" });
  }

  layOut() {
    const elements = (...parts) => parts.map(({ element }) => element), { options } = this;
    return {
      kind: "repeat", title: `Repeat the verdict on ${options.claim.id}`,
      controls: [this.seedChoice.element, html("label", { class: "bnlab-control" },
        html("span", { class: "bnlab-caption" }, "first fresh seed"), this.first),
        html("div", { class: "bnlab-actions" }, ...elements(this.go, this.hold, this.halt), ...this.files.elements)],
      body: [
        html("div", { class: "bnlab-progress-line" }, this.bar, this.left),
        html("div", { class: "bnlab-stage" }, this.grid.element),
        this.parts.element, this.verdict.element, this.summary.element,
        html("p", { class: "bnlab-caption bnlab-reason" }, `By a command: ${options.command}`),
      ],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key({ start }) { return String(start); }
  write() { return writeRepeat(this.state); }
  parse(query) { return parseRepeat(query, this.options); }

  change(part) {
    const before = this.state;
    this.state = { ...before, ...part };
    if (this.state.start !== before.start) {
      this.stop();
      this.forget();
    }
    this.note.now("");
    if (JSON.stringify(before) !== JSON.stringify(this.state)) this.decide();
    this.show();
    this.draw();
  }

  chooseSeeds(start) {
    const why = start === null ? "" : whyNotSeeds(this.options, start);
    if (why) {
      this.show();
      this.note.now(`Not changed: ${why}.`);
    } else this.set({ start });
  }

  chooseMargin(name, text) {
    const { [name]: _, ...others } = this.state.margins, number = Number(text);
    const margins = text === "" ? others : { ...others, [name]: number };
    try {
      if (!Number.isFinite(number)) throw new Error(`The margin must be a number, not "${text}".`);
      withMargins(this.options.claim, margins);
      this.set({ margins });
    } catch (error) {
      this.draw();
      this.note.now(`Not changed: ${error.message}`);
    }
  }

  // ---- training ----------------------------------------------------------------------------------

  act() { if (this.running) this.pause(); else this.begin(); }

  async begin() {
    if (this.running) return;
    if (this.phase === "finished") this.forget();
    const { state } = this, sink = this.sink(state);
    this.note.now("");
    this.phase = "training";
    this.since = performance.now();
    this.running = { stop() {}, pause() {}, resume() {} };  // until the images are there
    this.show();
    this.draw();
    try {
      const test = await this.engine.test();
      if (this.phase !== "training" || this.state.start !== state.start) return;
      const all = rowsOf(this.options, state.start, test);
      const rows = all.filter(({ place: [arm, i] }) => !["equal", "trained", "differs"].includes(this.outcomes[arm][i]));
      this.cost = all.reduce((sum, { cost }) => sum + cost, 0);
      this.costs = new Map(all.map(({ place, cost }) => [place.join(), cost]));
      this.running = this.engine.start(rows, state, sink);
    } catch (error) { sink.failed(error.message); }
  }

  sink({ start }) {
    const { options } = this, mine = () => this.state.start === start && this.running;
    const mark = ([arm, i], outcome) => { this.outcomes[arm][i] = outcome; this.redraw(); };
    return {
      begun: (place) => { if (mine()) mark(place, "begun"); },
      row: (place, content) => {
        if (!mine()) return;
        const { numbers, outcome } = outcomeOf(options, start, place, content), [arm, i] = place;
        if (!isWhole(numbers)) { this.end("failed", `Seed ${seedsOf(options, start)[i]} of "${options.arms[arm].label}" gave no numbers.`); return; }
        this.trained.get(options.arms[arm].name)[i] = numbers;
        this.done += this.costs.get(place.join());
        mark(place, outcome);
      },
      note: (text) => this.note.now(text),
      failed: (text) => { if (mine()) this.end("failed", text); },
      finished: () => { if (mine()) this.end("finished"); },
    };
  }

  pause() {
    if (!this.running || !this.engine.pauses) return;
    const paused = this.phase !== "paused";
    this.tick();
    this.phase = paused ? "paused" : "training";
    this.since = paused ? null : performance.now();
    this.running[paused ? "pause" : "resume"]();
    this.show();
    this.draw();
  }

  stop() { if (this.running) this.end("stopped"); }

  end(phase, text = "") {
    const { running } = this;
    this.tick();
    this.since = this.running = null;
    running.stop();
    this.phase = phase;
    this.outcomes = this.outcomes.map((line) => line.map((one) => (one === "begun" ? "waiting" : one)));
    if (phase === "finished") this.decide();
    this.show();
    this.draw();
    if (text) this.note.now(text);
  }

  /** Counts the seconds in training up to now. */
  tick() {
    const now = performance.now();
    if (this.since !== null) this.seconds += (now - this.since) / 1000;
    if (this.since !== null) this.since = now;
  }

  // ---- the verdict -------------------------------------------------------------------------------

  /** The values of now: of the rows that were trained, or of the evidence; null while there are none. */
  values() {
    const { options, state } = this;
    if (this.phase === "finished") return valuesOf(options, state.start, this.trained);
    return state.start === null ? options.values : null;
  }

  /** Intervals and words of these values, with the reader's margins. */
  async decide(values = this.values()) {
    const mine = ++this.asked, { options, state } = this;
    this.decided = null;
    if (!values) return;
    const claim = withMargins(options.claim, state.margins), some = claimWith(claim, values);
    try {
      const found = await this.engine.judge(some, values);
      if (mine !== this.asked) return;
      const isWholeClaim = some.effects.length === claim.effects.length;
      this.decided = isWholeClaim ? found : { ...found, word: "", said: "", sentence: UNTRAINED };
    } catch (error) { this.note.now(error.message); }
    this.draw();
  }

  /** What a file of the verdict holds, or null. */
  result() {
    const values = this.values();
    if (!this.decided?.said || !values) return null;
    return { seeds: seedsOf(this.options, this.state.start), margins: this.state.margins, values, said: this.decided.said };
  }

  /** A file that was written here before: its numbers are judged anew. */
  async open({ margins, values, said }) {
    this.stop();
    this.set({ margins });
    await this.decide(values);
    return { said, decided: this.decided };
  }

  // ---- what is seen ------------------------------------------------------------------------------

  show() {
    this.seedChoice.set(this.state.start === null ? "own" : "fresh");
    if (this.state.start !== null) this.first.value = this.state.start;
    const begun = this.outcomes.flat().some((one) => one !== "waiting");
    this.go.setText(begun && !["finished", "training", "paused"].includes(this.phase) ? "Go on" : "Repeat");
    this.go.enable(!this.running);
    this.hold.setText(this.phase === "paused" ? "Resume" : "Pause");
    this.hold.enable(this.running !== null && this.engine.pauses);
    this.halt.enable(this.running !== null);
    this.badge.set(this.engine.badge);
  }

  counts() {
    const found = { equal: 0, trained: 0, differs: 0 };
    for (const one of this.outcomes.flat()) if (one in found) found[one]++;
    return found;
  }

  drawProgress() {
    this.tick();
    const all = this.outcomes.flat().length, { equal, trained, differs } = this.counts();
    this.bar.value = this.cost ? this.done / this.cost : 0;
    this.left.textContent = progressText(equal + trained + differs, all, secondsLeft(this.seconds, this.done, this.cost), this.phase);
  }

  draw() {
    this.redraw.cancel();
    const { options, phase, decided, outcomes } = this, { claim, formulas } = options, { start, margins } = this.state;
    const seeds = seedsOf(options, start), own = Object.keys(margins).length > 0;
    this.grid.draw(outcomes, seeds);
    this.parts.draw(decided, margins);
    this.drawProgress();
    const told = { phase, counts: this.counts(), decided, margins: own };
    const sentence = repeatHeadline(claim, outcomes.flat().length, told);
    this.headline[this.running ? "soon" : "now"](sentence);
    const partly = claim.effects.some(({ name }) => !formulas[name]);
    this.verdict.now(phase !== "finished" || !partly ? "" : start === null ? KEPT : UNTRAINED);
    const summary = repeatSummary(claim, { phase, outcomes, seeds, decided, workers: this.engine.workers });
    this.summary[this.running ? "soon" : "now"](summary);
  }

  destroy() {
    clearInterval(this.clock);
    document.removeEventListener("visibilitychange", this.seen);
    this.stop();
    this.engine.destroy();
    super.destroy();
  }
}

export default widgetOf(Repeat);
