// The rows of a verdict in training: which are done, how long it takes, and what a reader's Pause,
// Stop and Go on do. No drawing here.

import { isWhole, outcomeOf, rowsOf, seedsOf } from "./repeat_rows.js";

const DONE = ["equal", "trained", "differs"];

/**
 * The trainings behind one verdict. `changed(isSoon)` hears that there is something to draw,
 * `ended(phase, text, isOver)` that it is "finished", "stopped" or "failed", and whether to go on is in
 * vain; `say(text)` what a reader must know.
 */
export class RowTraining {
  constructor(options, engine, hear) {
    Object.assign(this, { options, engine, hear });
    this.turn = null;  // the newest begin(), until it has ended; what an older one still says is not heard
    this.forget();
  }

  /** Nothing is trained yet; to be called while nothing runs. */
  forget() {
    const { arms, seeds } = this.options;
    this.phase = "idle";
    this.running = null;  // what the engine gave, once the images are there
    this.outcomes = arms.map(() => seeds.map(() => "waiting"));
    this.trained = new Map(arms.map(({ name }) => [name, []]));
    this.seconds = 0;     // in training, without pauses
    this.since = null;    // when the training went on
    this.done = this.cost = 0;
  }

  get isRunning() { return this.turn !== null; }
  get count() { return this.outcomes.flat().length; }
  get doneCount() { return this.outcomes.flat().filter((one) => DONE.includes(one)).length; }

  counts() {
    const all = this.outcomes.flat();
    return Object.fromEntries(DONE.map((outcome) => [outcome, all.filter((one) => one === outcome).length]));
  }

  async begin(state) {
    if (this.turn) return;
    if (this.phase === "finished") this.forget();
    const mine = this.turn = { start: state.start };
    this.phase = "training";
    this.since = performance.now();
    this.hear.changed();
    try {
      const test = await this.engine.test();
      if (this.turn === mine) this.startRows(mine, state, test);
    } catch (error) { if (this.turn === mine) this.end("failed", error.message); }
  }

  /** Those that are not done yet; while it is paused they wait. */
  startRows(mine, state, test) {
    const all = rowsOf(this.options, mine.start, test), isDone = ({ place: [arm, i] }) => DONE.includes(this.outcomes[arm][i]);
    const rows = all.filter((row) => !isDone(row)), done = all.filter(isDone).map(({ place }) => place);
    this.costs = new Map(all.map(({ place, cost }) => [place.join(), cost]));
    this.cost = all.reduce((sum, { cost }) => sum + cost, 0);
    if (!rows.length) { this.end("finished"); return; }
    const running = this.engine.start(rows, { ...state, done }, this.sink(mine), this.phase === "paused");
    if (this.turn === mine) this.running = running;
  }

  sink(mine) {
    const heard = (act) => (...what) => { if (this.turn === mine) act(...what); };
    return {
      begun: heard((place) => this.mark(place, "begun")),
      row: heard((place, content) => this.take(mine, place, content)),
      note: heard((text) => this.hear.say(text)),
      failed: heard((text, isOver) => this.end("failed", text, isOver)),
      finished: heard(() => this.end("finished")),
    };
  }

  mark([arm, i], outcome) {
    this.outcomes[arm][i] = outcome;
    this.hear.changed(true);
  }

  take({ start }, place, content) {
    const { options } = this, [arm, i] = place, { name, label } = options.arms[arm];
    const { numbers, outcome } = outcomeOf(options, start, place, content);
    if (!isWhole(numbers)) {
      this.end("failed", `Seed ${seedsOf(options, start)[i]} of "${label}" gave no numbers.`, true);
      return;
    }
    this.trained.get(name)[i] = numbers;
    this.done += this.costs.get(place.join());
    this.mark(place, outcome);
  }

  /** Pause, or go on after it. */
  pause() {
    if (!this.turn || !this.engine.pauses) return;
    const paused = this.phase !== "paused";
    this.tick();
    this.phase = paused ? "paused" : "training";
    this.since = paused ? null : performance.now();
    this.running?.[paused ? "pause" : "resume"]();
    this.hear.changed();
  }

  stop() { if (this.turn) this.end("stopped"); }

  end(phase, text = "", isOver = false) {
    this.tick();
    this.since = this.turn = null;
    this.running?.stop();
    this.running = null;
    this.phase = phase;
    this.outcomes = this.outcomes.map((line) => line.map((one) => (one === "begun" ? "waiting" : one)));
    this.hear.ended(phase, text, isOver);
  }

  /** Counts the seconds in training up to now. */
  tick() {
    if (this.since === null) return;
    const now = performance.now();
    this.seconds += (now - this.since) / 1000;
    this.since = now;
  }
}
