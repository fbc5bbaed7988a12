// Choices: a supernet as a grid of choices, and the architecture that its scales choose.

import { html } from "../kit/js/elements.js";
import { kernelEngine } from "../kit/js/engines.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import { button } from "../kit/js/parts.js";
import { TrainingWidget } from "../kit/js/training_widget.js";
import { widgetOf } from "../kit/js/widget.js";
import { storedSupernets } from "./choices_engine.js";
import { choiceGrid } from "./choices_grid.js";
import { cloudKey, cloudPlot } from "./choices_plot.js";
import { evolve, oneOf, pathOfStep, sameSize } from "./choices_search.js";
import { agreement, architectures, ceiling, scoresOf, untrained, within } from "./choices_space.js";
import { rankTable } from "./choices_table.js";
import {
  answerText, choicesGuesses, choicesVerdict, cloudAlt, foundHeadline, kiloText, ownHeadline, soFarText,
} from "./choices_words.js";

const ROUND = 130;  // ms for each round of the search
const TRAINED_WORDS = { all: "all weights", norms: "all norms", last: "last norms" };
const ACROSS_WORDS = { score: "score by γ", size: "size (MACs)" };
const PHASE_WORDS = { training: "Training", finished: "Finished", stopped: "Stopped", failed: "Broken off" };

class Choices extends TrainingWidget {
  makeEngine() {
    const { model, options } = this;
    return model.bnlabHost === "static" ? storedSupernets(options) : kernelEngine(model, options);
  }

  prepare() {
    super.prepare();
    const space = this.space = architectures(this.options);
    const counted = ["layers", "macs", "parameters"].map((name) => agreement(space, space[name]));
    this.taus = { counted, most: ceiling(space) };
    this.searched = false;   // the reader asked for a search
    this.round = Infinity;   // of the search, that is shown
    this.timer = 0;
  }

  makeParts() {
    const { options, space } = this;
    const words = (all) => (value) => ({ value, text: all[value] });
    this.controls = {
      trained: this.one("trained", "what is trained", options.trained.map(words(TRAINED_WORDS))),
      step: this.range("step", "step of the training", options.steps),
      seed: this.range("seed", "random seed", options.seeds),
      budget: this.range("budget", "MACs budget", options.budgets,
        (percent) => `${percent} % (${kiloText((percent * space.largest) / 100)})`),
      across: this.one("across", "accuracy when trained alone, against", options.across.map(words(ACROSS_WORDS))),
      predict: this.predictBox(),
    };
    this.search = button({ text: "Search", kind: "bnlab-always", onClick: () => this.hunt() });
    const pick = (path) => this.set({ path });
    this.grid = choiceGrid({
      blocks: options.blocks,
      onPick: (path) => pick(path.map((op, k) => options.blocks[k][op]).join("-")),
    });
    this.cloud = this.own(cloudPlot({ onPick: (number) => pick(space.names[number]) }));
    this.cloudKey = cloudKey();
    this.ranks = rankTable(space.names.length);
    this.answer = html("p", { class: "bnlab-answer" });
  }

  layOut() {
    const { across, predict, ...others } = this.controls;
    const elements = (parts) => parts.map(({ element }) => element);
    const site = this.model.bnlabHost === "static";
    return {
      kind: "choices", title: "Choices: can γ pick the architecture?",
      controls: [...elements(Object.values(others)),
        html("div", { class: "bnlab-actions" }, ...elements([this.go, this.search, this.halt, predict]))],
      body: [
        html("div", { class: "bnlab-choices-two" }, this.grid.element,
          html("div", { class: "bnlab-stage" },
            html("div", { class: "bnlab-plots" },
              html("figure", { class: "bnlab-figure" }, across.element, this.cloud.element, this.cloudKey.element)),
            this.guessBox.element)),
        this.answer, this.verdict.element, this.ranks.element, this.summary.element,
        ...(site ? [html("p", { class: "bnlab-caption bnlab-reason" }, this.options.why)] : [])],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  /** What is trained; with "Predict first" also what the guess is about. */
  key({ trained, seed, budget, path, predict }) {
    return `trained=${trained}&seed=${seed}${predict ? `&budget=${budget}&path=${path}` : ""}`;
  }

  write() {
    return writeQuery(this.state, ["trained", "step", "seed", "budget", "path", "across", "predict"]);
  }

  parse(query) {
    const { trained, steps: step, seeds: seed, budgets: budget, across } = this.options;
    const { names } = this.space, paths = query.getAll("path");
    query.delete("path");
    const { state, problems } = parseQuery(query, { trained, step, seed, budget, across });
    for (const path of paths) {
      if (names.includes(path)) state.path = path;
      else problems.push(`path=${path} is none of the ${names.length} architectures, such as ${names.at(-1)}`);
    }
    return { state, problems };
  }

  change(part) {
    const before = this.state;
    super.change(part);
    if (Object.keys(before).every((name) => before[name] === this.state[name])) return;
    if (!this.running) this.calm();
    const asked = this.state.predict && before.step === this.state.step;
    if (!asked && this.state.predict === before.predict) this.verdict.now("");
    this.show();
    this.redraw();
  }

  forget() {
    this.searched = false;
    super.forget();
  }

  // ---- training and search -----------------------------------------------------------------------

  begun() { return { state: this.state, tables: new Map(), phase: "training" }; }
  add(result, _, { step, scales }) { result.tables.set(step, scales); }
  isSeen() { return true; }

  start() {
    if (this.state.predict) this.searched = true;
    super.start();
  }

  judged({ phase }) {
    return phase === "finished" ? "" : "The supernet did not reach its last step: no verdict on the guess.";
  }

  end(result, phase) {
    const search = phase === "finished" && this.searched;
    if (search) this.round = 0;
    super.end(result, phase);
    if (search) this.play();
  }

  /** A link shows the answer. */
  arrived() {
    if (!this.state.predict) this.hunt();
  }

  /** Of a supernet that is not trained yet: train it first. */
  hunt() {
    if (this.asking || this.result?.phase !== "finished") {
      this.searched = true;
      if (!this.running) this.train();
      return;
    }
    this.searched = true;
    this.play();
  }

  /** Round after round, as the search goes. */
  play() {
    this.calm();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) { this.arrive(); return; }
    this.round = 0;
    this.timer = setInterval(() => {
      if (++this.round >= this.options.search.rounds) this.arrive();
      this.redraw();
    }, ROUND);
    this.draw();
  }

  /** The search is over: its outcome, and what was guessed. */
  arrive() {
    this.calm();
    if (this.state.predict && this.guess !== null) {
      this.verdict.now(choicesVerdict(this.space, this.seen().chosen, this.guess));
    }
    this.show();
    this.draw();
  }

  calm() {
    clearInterval(this.timer);
    this.timer = 0;
    this.round = Infinity;
  }

  drop() {
    this.calm();
    super.drop();
  }

  // ---- what is seen ------------------------------------------------------------------------------

  question() {
    return {
      text: "Trained alone, which is ranked highest: yours, what γ finds, or a random one of that size?",
      items: choicesGuesses(),
    };
  }

  /** All that is drawn and said, of the state and of what is trained so far. */
  seen() {
    const { state, space, result, options } = this, { budget, seed } = state;
    const steps = [...(result?.tables.keys() ?? [])].filter((step) => step <= state.step);
    const step = Math.max(0, ...steps), scales = result?.tables.get(step) ?? untrained(options.blocks);
    const scores = scoresOf(space, scales), allowed = within(space, budget);
    const ready = this.searched && result?.phase === "finished";
    const rounds = ready ? evolve(space, scores, allowed, seed, options.search) : [];
    const now = rounds[Math.min(this.round, rounds.length - 1)] ?? { tried: [], best: null };
    const over = ready && this.round >= rounds.length - 1;
    const same = over && now.best !== null ? sameSize(space, now.best, allowed) : [];
    const chosen = { mine: space.names.indexOf(state.path), found: now.best, random: oneOf(same, seed) };
    return { step, scales, scores, allowed, over, same, chosen, tried: over ? [] : now.tried };
  }

  drawResult(result) {
    const { state, space, asking, searching } = this, found = this.seen();
    const { step, scales, scores, allowed, chosen, tried, over } = found;
    const taus = { ...this.taus, score: agreement(space, scores) };
    const of = (i) => (i === null ? null : space.paths[i]);
    const key = this.write();
    this.grid.draw({
      scales, key, mine: of(chosen.mine), found: of(chosen.found), random: of(chosen.random),
      now: result && step > 0 ? pathOfStep(space.blocks, result.state.seed, step) : null,
    });
    const score = state.across === "score";
    this.cloud.draw({
      x: score ? scores.map((value) => value / 1000) : space.macs.map((value) => value / 1000),
      y: space.accuracy.map((value) => 100 * value), key, allowed, tried, chosen,
      word: score ? `sum of γ at step ${step}` : "thousand MACs",
      alt: cloudAlt(space, scores, { across: state.across, step, taus, chosen, hidden: asking }),
    });
    const most = allowed.length < space.names.length ? `${kiloText((state.budget * space.largest) / 100)} MACs` : "";
    this.cloudKey.draw({ chosen, tried, most });
    this.ranks.draw(space, scores, chosen, asking, found.same);
    this.headline.now(asking || searching ? "" : over ? foundHeadline(space, chosen, found.same) : ownHeadline(space, scores, chosen));
    this.answer.textContent = asking ? "" : over
      ? answerText(space, { ...chosen, allowed, taus })
      : soFarText(space, scores, { mine: chosen.mine, step, taus });
  }

  told(result) {
    const { state, options, searching } = this, { trained, seed } = result?.state ?? state;
    if (!result) return this.emptyText();
    const last = Math.max(0, ...result.tables.keys()), end = options.steps.at(-1);
    const rounds = searching ? ` Search: round ${this.round} of ${options.search.rounds}.` : "";
    return `${PHASE_WORDS[result.phase]}: step ${last} of ${end}, ${TRAINED_WORDS[trained]}, `
      + `learning rate ${options.rates[trained]}, seed ${seed}.${rounds} ${this.truthText()}`;
  }

  truthText() {
    const { truth } = this.options, count = truth.right.length;
    const mean = count > 1 ? `, mean of ${count} seeds` : ", one seed";
    return `By accuracy: each architecture trained alone, ${truth.steps} steps, test images${mean}.`;
  }

  get searching() { return this.timer !== 0; }

  draw() {
    this.redraw.cancel();
    const { result } = this;
    this.drawResult(result);
    if (!result) this.summary.now(`${this.emptyText()} ${this.truthText()}`);
    else if (result.phase === "training" || this.searching) this.summary.soon(this.told(result));
    else this.summary.now(this.told(result));
  }

  show() {
    super.show();
    this.search?.enable(!this.asking);
  }

  destroy() {
    this.calm();
    super.destroy();
  }
}

export default widgetOf(Choices);
