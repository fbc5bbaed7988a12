// Who trains the rows. On the site several workers of the page, a row at a time each; see
// page_repeat.js. With a kernel, Python. Both have
//   badge
//   start(rows, state, sink)   {stop, pause, resume}; the sink takes begun(place), row(place, content),
//                              note(text), failed(text), finished()
//   judge(claim, values)       promise of what decideClaim() of judge.js gives
//   test()                     promise of the test images, which the rows take
//   destroy()

import { kernelEngine, loadScript } from "../kit/js/engines.js";
import { pageEngine } from "../kit/js/page_engine.js";
import { decideClaim } from "./judge.js";
import { lostText } from "./repeat_words.js";

const MOST_WORKERS = 4;
const TICK = 5000, SILENT_TICKS = 24;  // ms; a worker that says nothing for so long is given up
const POOL_BADGE = "in this page, same bits as the evidence";

/** How many workers: no more than there are cores. */
export const workersHere = () => Math.max(1, Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1));

const ignore = () => {};
const NO_NEWS = { points: ignore, waiting: ignore, note: ignore, restate: ignore };

/** Workers of the page. */
export function repeatPool({ compiled, net, width, job }) {
  const make = () => pageEngine({ compiled, net, width, job });
  const engines = Array.from({ length: workersHere() }, make);
  let watch = 0, judging = null;

  async function test() {
    await loadScript("test_images", "replay", "bnlabReplay", "The test images");
    const found = globalThis.bnlabReplay?.test_images;
    if (found?.version !== 1) throw new Error("The test images are not in a format known here.");
    return { images: found.images, labels: found.labels };
  }

  function start(rows, _state, sink) {
    const waiting = [...rows], busy = new Map();  // engine -> {row, running, ticks}
    let left = rows.length, over = false, paused = false;

    function end(tell) {
      if (over) return;
      over = true;
      clearInterval(watch);
      for (const { running } of busy.values()) running.cancel();
      busy.clear();
      tell();
    }
    /** A worker is gone: its row is the next one of another. */
    function lose(engine, row, text) {
      engine.destroy();
      engines.splice(engines.indexOf(engine), 1);
      busy.delete(engine);
      waiting.unshift(row);
      if (!engines.length) end(() => sink.failed(text));
      else sink.note(lostText(text));
      feed();
    }
    function give(engine, row) {
      let content = null;
      sink.begun(row.place);
      const running = engine.start(row.state, {
        ...NO_NEWS,
        points: (_, found) => { content = found; },
        finished: () => {
          busy.delete(engine);
          if (over) return;
          left--;
          sink.row(row.place, content);
          if (left) feed();
          else end(sink.finished);
        },
        error: (text) => {
          if (over) return;
          if (engine.pauses) end(() => sink.failed(text));  // the row itself cannot be trained
          else lose(engine, row, text);
        },
      }, paused);
      busy.set(engine, { row, running, ticks: 0 });
    }
    function feed() {
      for (const engine of [...engines]) {
        if (over || !waiting.length) return;
        if (!busy.has(engine)) give(engine, waiting.shift());
      }
    }
    watch = setInterval(() => {
      if (paused) return;
      for (const [engine, one] of [...busy]) {
        if (++one.ticks > SILENT_TICKS) lose(engine, one.row, "A worker said nothing for two minutes.");
      }
    }, TICK);
    queueMicrotask(feed);
    const all = (act) => { for (const { running } of busy.values()) running[act](); };
    return {
      stop: () => end(ignore),
      pause() { paused = true; all("pause"); },
      resume() { paused = false; all("resume"); },
    };
  }

  /** In a worker of its own, which trains nothing. */
  function judge(claim, values) {
    judging ??= make();
    return new Promise((resolve, reject) => {
      judging.start({ claim, values }, {
        ...NO_NEWS, points: (_, found) => resolve(found), finished: ignore,
        error: (text) => reject(new Error(text)),
      }, false, "judge");
    });
  }

  function destroy() {
    clearInterval(watch);
    for (const engine of [...engines, judging]) engine?.destroy();
  }
  return { badge: POOL_BADGE, workers: engines.length, pauses: true, start, judge, test, destroy };
}

/** Python, which knows the rows itself. */
export function repeatKernel(model, options) {
  const engine = kernelEngine(model, { device: options.device });
  function start(_rows, state, sink) {
    const running = engine.start(state, {
      ...NO_NEWS, waiting: sink.note,
      points: (name, { at, ...content }) => (name === "begun" ? sink.begun(at) : sink.row(at, content)),
      finished: ({ stopped }) => { if (!stopped) sink.finished(); },
      error: sink.failed,
    });
    return { stop: running.stop, pause: ignore, resume: ignore };
  }
  const judge = async (claim, values) => decideClaim(claim, values);
  return {
    badge: "kernel: Python trains on the compiled engine", workers: 1, pauses: false,
    start, judge, test: async () => null, destroy: ignore,
  };
}
