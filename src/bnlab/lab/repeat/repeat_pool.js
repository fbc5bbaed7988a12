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

/** Workers of the page. */
export function repeatPool({ compiled, net, width, job, arms }) {
  const size = workersHere(), engines = [];  // those that live
  const make = () => engines.push(pageEngine({ compiled, net, width, job }));

  async function test() {
    await loadScript("test_images", "replay", "bnlabReplay", "The test images");
    const found = globalThis.bnlabReplay?.test_images;
    if (found?.version !== 1) throw new Error("The test images are not in a format known here.");
    const doubles = arms.some(({ precision }) => precision) ? await kernelsOfDoubles(compiled) : null;
    return { images: found.images, labels: found.labels, doubles };
  }

  function start(rows, _state, sink, paused = false) {
    const waiting = [...rows], busy = new Map();  // engine -> {row, running, ticks}
    let left = rows.length, over = false;
    let lost = 0;  // workers since a row was done: those that follow each other for nothing are not replaced
    const watch = setInterval(look, TICK);

    function end(tell) {
      if (over) return;
      over = true;
      clearInterval(watch);
      for (const { running } of busy.values()) running.cancel();
      busy.clear();
      tell();
    }
    /** A worker is gone: its row is the next one of another, or of a new one. */
    function lose(engine, row, text, why = text) {
      busy.get(engine).running.cancel();
      engine.destroy();
      engines.splice(engines.indexOf(engine), 1);
      busy.delete(engine);
      waiting.unshift(row);
      if (++lost <= size) make();
      if (!engines.length) { end(() => sink.failed(text, false)); return; }
      sink.note(lostText(why));
      feed();
    }
    /** A worker that trains says so every few seconds, and "row" when it has done it: see page_repeat.js. */
    function give(engine, row) {
      let content = null;
      sink.begun(row.place);
      const running = engine.start(row.state, {
        ...NO_NEWS,
        points: (name, found) => {
          if (name === "row") content = found;
          if (busy.has(engine)) busy.get(engine).ticks = 0;
        },
        finished: () => {
          if (over) return;
          busy.delete(engine);
          left--;
          lost = 0;
          sink.row(row.place, content);
          if (left) feed();
          else end(() => { dismiss(); sink.finished(); });
        },
        error: (text, why) => {
          if (over) return;
          if (engine.pauses) end(() => { dismiss(); sink.failed(text, true); });  // the row itself cannot be trained
          else lose(engine, row, text, why);
        },
      });
      busy.set(engine, { row, running, ticks: 0 });
    }
    function feed() {
      for (const engine of [...engines]) {
        if (over || paused || !waiting.length) return;
        if (!busy.has(engine)) give(engine, waiting.shift());
      }
    }
    /** A pause does not count, nor a hidden tab, which a browser slows down. */
    function look() {
      if (paused || document.hidden) return;
      for (const [engine, one] of [...busy]) {
        if (!over && ++one.ticks > SILENT_TICKS) lose(engine, one.row, SILENT);
      }
    }
    while (engines.length < size) make();
    queueMicrotask(feed);
    const all = (act) => { for (const { running } of busy.values()) running[act](); };
    return {
      stop: () => end(dismiss),
      pause() { paused = true; all("pause"); },
      resume() { paused = false; all("resume"); feed(); },
    };
  }

  /** Workers that have nothing to do would keep their nets. */
  function dismiss() { for (const engine of engines.splice(0)) engine.destroy(); }
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
