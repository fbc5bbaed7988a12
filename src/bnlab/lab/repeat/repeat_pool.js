// Who trains the rows. On the site several workers of the page, a row at a time each; see
// page_repeat.js. With a kernel, Python. Both have
//   badge, workers, pauses
//   start(rows, state, sink, paused)    {stop, pause, resume}; the sink takes begun(place),
//                                       row(place, content), note(text), finished() and
//                                       failed(text, isOver): to go on would be in vain
//   test()                              promise of what all rows take: test images, kernels
//   destroy()

import { kernelEngine, loadScript } from "../kit/js/engines.js";
import { pageEngine } from "../kit/js/page_engine.js";
import { lostText, SILENT } from "./repeat_words.js";

const MOST_WORKERS = 4;
const TICK = 5000, SILENT_TICKS = 24;  // ms; a worker that says nothing for so long is given up
const POOL_BADGE = "in this page, same bits as the evidence";

/** How many workers: no more than there are cores. */
export const workersHere = () => Math.max(1, Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1));

const ignore = () => {};
const NO_NEWS = { points: ignore, waiting: ignore, note: ignore, restate: ignore };

/** Kernels in float64 of a set of nets, as hexadecimal digits. */
async function kernelsOfDoubles(name) {
  await loadScript(name, "doubles", "bnlabDoubles", "The kernels for double precision");
  const found = globalThis.bnlabDoubles?.[name];
  if (found?.version !== 1) throw new Error("The kernels for double precision are not in a format known here.");
  return found.kernels;
}

/** Rows in training, one a worker: until all are done, one cannot be trained, or no worker is left. */
class PoolTurn {
  constructor(workers, rows, sink, paused) {
    Object.assign(this, { workers, sink, paused, waiting: [...rows], left: rows.length, isOver: false });
    this.busy = new Map();  // engine -> {row, running, ticks}
    this.lost = 0;          // workers since a row was done: those that follow each other for nothing are not replaced
    this.watch = setInterval(() => this.look(), TICK);
    queueMicrotask(() => this.feed());
  }

  feed() {
    for (const engine of [...this.workers.engines]) {
      if (this.isOver || this.paused || !this.waiting.length) return;
      if (!this.busy.has(engine)) this.give(engine, this.waiting.shift());
    }
  }

  /** A worker that trains says so every few seconds, and "row" when it has done it: see page_repeat.js. */
  give(engine, row) {
    let content = null;
    this.sink.begun(row.place);
    const running = engine.start(row.state, {
      ...NO_NEWS,
      points: (name, found) => {
        if (name === "row") content = found;
        if (this.busy.has(engine)) this.busy.get(engine).ticks = 0;
      },
      finished: () => this.take(engine, row, content),
      error: (text, why) => {
        if (this.isOver) return;
        if (engine.pauses) this.end(() => this.sink.failed(text, true));  // the row itself cannot be trained
        else this.lose(engine, row, text, why);
      },
    });
    this.busy.set(engine, { row, running, ticks: 0 });
  }

  take(engine, row, content) {
    if (this.isOver) return;
    this.busy.delete(engine);
    this.left--;
    this.lost = 0;
    this.sink.row(row.place, content);
    if (this.left) this.feed();
    else this.end(() => this.sink.finished());
  }

  /** A worker is gone: its row is the next one of another, or of a new one. */
  lose(engine, row, text, why = text) {
    const { workers } = this;
    this.busy.get(engine).running.cancel();
    this.busy.delete(engine);
    workers.drop(engine);
    this.waiting.unshift(row);
    if (++this.lost <= workers.size) workers.make();
    if (!workers.engines.length) { this.end(() => this.sink.failed(text, false)); return; }
    this.sink.note(lostText(why));
    this.feed();
  }

  /** A pause does not count, nor a hidden tab, which a browser slows down. */
  look() {
    if (this.paused || document.hidden) return;
    for (const [engine, one] of [...this.busy]) {
      if (!this.isOver && ++one.ticks > SILENT_TICKS) this.lose(engine, one.row, SILENT);
    }
  }

  /** Workers that have nothing to do would keep their nets. */
  end(tell) {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.watch);
    for (const { running } of this.busy.values()) running.cancel();
    this.busy.clear();
    this.workers.dismiss();
    tell();
  }

  all(act) { for (const { running } of this.busy.values()) running[act](); }
  stop() { this.end(ignore); }
  pause() { this.paused = true; this.all("pause"); }
  resume() { this.paused = false; this.all("resume"); this.feed(); }
}

/** Workers of the page. */
export function repeatPool({ compiled, net, width, job, arms }) {
  const size = workersHere(), engines = [];  // those that live
  const make = () => engines.push(pageEngine({ compiled, net, width, job }));
  function drop(engine) {
    engine.destroy();
    engines.splice(engines.indexOf(engine), 1);
  }
  const dismiss = () => { for (const engine of [...engines]) drop(engine); };

  async function test() {
    await loadScript("test_images", "replay", "bnlabReplay", "The test images");
    const found = globalThis.bnlabReplay?.test_images;
    if (found?.version !== 1) throw new Error("The test images are not in a format known here.");
    const doubles = arms.some(({ precision }) => precision) ? await kernelsOfDoubles(compiled) : null;
    return { images: found.images, labels: found.labels, doubles };
  }

  function start(rows, _state, sink, paused = false) {
    while (engines.length < size) make();
    return new PoolTurn({ engines, size, make, drop, dismiss }, rows, sink, paused);
  }
  return { badge: POOL_BADGE, workers: size, pauses: true, start, test, destroy: dismiss };
}

/** Python, which knows the rows itself; `state.done` are the places of those that it need not train. */
export function repeatKernel(model, options) {
  const engine = kernelEngine(model, { device: options.device });
  function start(_rows, state, sink) {
    let hasAnswered = false;  // after that it is silent as long as a row takes
    const running = engine.start(state, {
      ...NO_NEWS, waiting: (text) => { if (!hasAnswered) sink.note(text); },
      points(name, { type: _type, id: _id, norm: _norm, at, ...content }) {
        if (!hasAnswered) sink.note("");
        hasAnswered = true;
        if (name === "begun") sink.begun(at);
        else sink.row(at, content);
      },
      finished: ({ stopped }) => { if (!stopped) sink.finished(); },
      error: sink.failed,
    });
    return { stop: running.stop, pause: ignore, resume: ignore };
  }
  return {
    badge: "kernel: Python trains on the compiled engine", workers: 1, pauses: false,
    start, test: async () => null, destroy: ignore,
  };
}
