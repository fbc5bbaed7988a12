// Repeat this verdict: its trainings are done again, row by row, then intervals and words follow.

import { html } from "../kit/js/elements.js";
import { button, choice } from "../kit/js/parts.js";
import { Widget, widgetOf } from "../kit/js/widget.js";
import { decideInPieces } from "./decide_in_pieces.js";
import { ownMargins, withMargins } from "./margins.js";
import { agreementText, isInPart } from "./repeat_agreement.js";
import { fileButtons } from "./repeat_file.js";
import { rowGrid } from "./repeat_grid.js";
import { partTable } from "./repeat_parts.js";
import { repeatKernel, repeatPool } from "./repeat_pool.js";
import { claimWith, secondsLeft, seedsOf, valuesOf, whyNotSeeds } from "./repeat_rows.js";
import { parseRepeat, writeRepeat } from "./repeat_link.js";
import { RowTraining } from "./repeat_training.js";
import { BACK, GO_ON, progressText, repeatHeadline, repeatSummary } from "./repeat_words.js";

const SEED_CHOICES = [{ value: "own", text: "of the evidence" }, { value: "fresh", text: "fresh ones" }];

class Repeat extends Widget {
  prepare() {
    const { model, options } = this;
    this.engine = model.bnlabHost === "static" ? repeatPool(options) : repeatKernel(model, options);
    this.training = new RowTraining(options, this.engine, {
      changed: (isSoon) => this.changed(isSoon), ended: (...how) => this.ended(...how), say: (text) => this.note.now(text),
    });
    this.opened = null;  // {seeds, values} of a file that was opened, until rows or other seeds are wanted
    const isOfEvidence = this.state.start === null && !Object.keys(this.state.margins).length;
    this.decided = isOfEvidence ? options.evidence : null;
    this.problem = "";   // why nothing could be decided
    this.isDeciding = false;
    this.asked = 0;      // how often a verdict was asked for: the newest counts
    const isTraining = () => this.training.phase === "training";
    this.seen = () => { if (!document.hidden && isTraining() && this.engine.pauses) this.note.now(BACK); };
    if (!isOfEvidence) queueMicrotask(() => this.decide());  // once all parts are there
    document.addEventListener("visibilitychange", this.seen);
    this.clock = setInterval(() => { if (isTraining()) this.drawProgress(); }, 1000);
  }

  makeParts() {
    const { options, state } = this;
    this.seedChoice = choice({
      label: "seeds", items: SEED_CHOICES, value: state.start === null ? "own" : "fresh",
      onChange: (value) => this.chooseSeeds(value === "own" ? null : this.firstSeed()),
    });
    this.first = html("input", {
      type: "number", class: "bnlab-margin", min: 0, step: 1, value: state.start ?? 5000,
      onchange: () => this.chooseSeeds(this.firstSeed()),
    });
    this.controls = {};
    this.go = button({ text: "Repeat", kind: "bnlab-main", onClick: () => this.begin() });
    this.hold = button({ text: "Pause", kind: "bnlab-always", onClick: () => this.training.pause() });
    this.halt = button({ text: "Stop", onClick: () => this.training.stop() });
    this.grid = rowGrid(options.arms.map(({ label }) => label), options.seeds.length);
    this.parts = partTable(options, (name, text) => this.chooseMargin(name, text));
    this.resultFile = fileButtons({
      options, current: () => this.result(), say: (text) => this.note.now(text), open: (file) => this.open(file),
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
        html("div", { class: "bnlab-actions" }, ...elements(this.go, this.hold, this.halt), ...this.resultFile.elements)],
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

  /** What was said before a reader's act is over. */
  set(part) {
    this.note.now("");
    super.set(part);
  }

  change(part) {
    const before = this.state, after = { ...before, ...part };
    if (JSON.stringify(before) === JSON.stringify(after)) return;  // the model's echo
    this.state = after;
    if (after.start === before.start) this.judgeAnew();
    else this.clear();
  }

  judgeAnew() {
    this.note.now("");
    const decided = this.decide();
    this.show();
    this.draw();
    return decided;
  }

  /** What the reader wrote; an empty field is no number. */
  firstSeed() { return this.first.value.trim() === "" ? NaN : Number(this.first.value); }

  chooseSeeds(start) {
    const why = start === null ? "" : whyNotSeeds(this.options, start);
    if (why) {
      this.show();
      this.note.now(`Not changed: ${why}.`);
      return;
    }
    if (this.opened) this.clear();
    this.set({ start });
  }

  chooseMargin(name, text) {
    const { [name]: _, ...others } = this.state.margins, number = Number(text);
    const margins = text === "" ? others : ownMargins(this.options.claim, { ...others, [name]: number });
    try {
      if (!Number.isFinite(number)) throw new Error(`The margin must be a number, not "${text}".`);
      withMargins(this.options.claim, margins);
      this.set({ margins });
    } catch (error) { this.note.now(`Not changed: ${error.message}`); }
    this.parts.reset(name, this.state.margins);
  }

  /** Neither rows nor a file are left of what was seen. */
  clear() {
    this.opened = null;
    this.training.stop();
    this.training.forget();
    this.judgeAnew();
  }

  // ---- training ----------------------------------------------------------------------------------

  act() { if (this.training.isRunning) this.training.pause(); else this.begin(); }

  /** The rows, and nothing else: what was opened or found before is left. */
  begin() {
    if (this.training.isRunning) return;
    const isOld = this.opened !== null || this.training.phase === "finished";
    this.opened = null;
    this.note.now("");
    if (this.training.phase === "finished") this.training.forget();
    if (isOld) this.decide();
    this.training.begin(this.state);
  }

  changed(isSoon = false) {
    if (isSoon) this.redraw();
    else {
      this.show();
      this.draw();
    }
  }

  ended(phase, text, isOver) {
    if (phase === "finished") this.decide();
    this.changed();
    if (text) this.note.now(this.training.doneCount && !isOver ? `${text} ${GO_ON}` : text);
  }

  // ---- the verdict -------------------------------------------------------------------------------

  /** The seeds that are spoken of. */
  seeds() { return this.opened?.seeds ?? seedsOf(this.options, this.state.start); }

  /** The values of now: of a file, of the rows that were trained, or of the evidence; null while there are none. */
  values() {
    const { options, state, training, opened } = this;
    if (opened) return opened.values;
    if (training.phase === "finished") return valuesOf(options, state.start, training.trained);
    return state.start === null ? options.values : null;
  }

  /** Intervals and words of these values, with the reader's margins; null if they are not wanted any more. */
  async decide() {
    const mine = ++this.asked, isWanted = () => mine === this.asked;
    Object.assign(this, { decided: null, problem: "", isDeciding: true });
    try {
      const found = await this.judged(isWanted);
      if (!isWanted()) return null;
      this.decided = found;
    } catch (error) {
      if (!isWanted()) return null;
      this.problem = error.message;
      this.note.now(error.message);
    }
    this.isDeciding = false;
    this.draw();
    return this.decided;
  }

  /** Promise of the words by these values, null if there are none; of parts alone where some have no values. */
  async judged(isWanted) {
    const { options, state } = this, values = this.values();
    if (!values) return null;
    const claim = withMargins(options.claim, state.margins), some = claimWith(claim, values);
    const found = await decideInPieces(some, values, isWanted), isWholeClaim = some.effects.length === claim.effects.length;
    return isWholeClaim || !found ? found : { ...found, word: "", said: "", sentence: "" };
  }

  /** What a file of the verdict holds, or null. */
  result() {
    const values = this.values();
    if (!this.decided?.said || !values) return null;
    const isOfEvidence = !this.opened && this.training.phase !== "finished";
    return { seeds: this.seeds(), margins: this.state.margins, values, said: this.decided.said, isOfEvidence };
  }

  /** A file that was written here before: its numbers are judged anew, and stay. */
  async open({ seeds, margins, values }) {
    this.training.stop();
    this.opened = { seeds, values };
    this.set({ margins });
    return this.judgeAnew();
  }

  // ---- what is seen ------------------------------------------------------------------------------

  show() {
    this.seedChoice.set(this.opened ? "of the file" : this.state.start === null ? "own" : "fresh");
    if (this.state.start !== null) this.first.value = this.state.start;
    const { phase, isRunning, doneCount } = this.training;
    this.go.setText(doneCount && ["stopped", "failed"].includes(phase) ? "Go on" : "Repeat");
    this.go.enable(!isRunning);
    this.hold.setText(phase === "paused" ? "Resume" : "Pause");
    this.hold.enable(isRunning && this.engine.pauses);
    this.halt.enable(isRunning);
    this.badge.set(this.engine.badge);
  }

  /** What stands in place of a number. */
  untold() {
    if (this.isDeciding) return "…";
    if (this.problem) return "no verdict";
    return this.training.phase === "finished" ? "not trained here" : "not trained yet";
  }

  drawProgress() {
    const { training } = this;
    training.tick();
    const { phase, count, doneCount, seconds, done, cost } = training;
    this.bar.value = cost ? done / cost : 0;
    this.left.textContent = progressText(doneCount, count, secondsLeft(seconds, done, cost), phase);
  }

  draw() {
    this.redraw.cancel();
    const { options, state, training, decided, opened } = this, { claim } = options;
    const { phase, outcomes, isRunning, count } = training, seeds = this.seeds();
    // A number that changes with each row is not read out, the end is; the bar tells who asks.
    for (const { element } of [this.headline, this.summary]) element.setAttribute("aria-live", isRunning ? "off" : "polite");
    this.grid.draw(outcomes, seedsOf(options, state.start));
    this.parts.draw(decided, state.margins, this.untold(), phase === "finished" && !opened);
    this.drawProgress();
    const told = {
      phase, decided, opened, seeds, counts: training.counts(), margins: Object.keys(state.margins).length > 0,
      isFresh: state.start !== null, isPart: isInPart(options), problem: this.problem,
    };
    this.headline.now(repeatHeadline(claim, count, told));
    this.verdict.now(phase === "finished" && !opened ? agreementText(options, state.start, this.values()) : "");
    this.summary.now(repeatSummary(claim, { ...told, outcomes, workers: this.engine.workers, seconds: options.seconds }));
  }

  destroy() {
    clearInterval(this.clock);
    document.removeEventListener("visibilitychange", this.seen);
    this.training.stop();
    this.engine.destroy();
    super.destroy();
  }
}

export default widgetOf(Repeat);
