// The page engine: nets are trained in the reader's browser, in a web worker, by the job that
// `options.job` names. Where that is not possible it says so, and stored runs are shown instead if
// there are any (`options.replay`), or those of its first state (`options.first`).

import { kernelEngine, loadScript, replayEngine } from "./engines.js";
import { firstEngine } from "./first_state.js";

const FORMAT = 1;
const BADGE = "in this page, same bits as the evidence";  // or options.badge
const UNABLE = "nothing can be computed in this page";

/** The engine for this place; `onChange` is called when its badge has changed. */
export function chooseEngine(model, options, onChange) {
  if (model.bnlabHost !== "static") return kernelEngine(model, options);
  return options.compiled ? pageEngine(options, onChange) : replayEngine(options);
}

/**
 * An engine as in engines.js, and more: `badge` may change; `warm()` loads what it needs;
 * `destroy()` ends its worker; `pauses`: what `start(state, sink, paused)` returns has pause(),
 * resume(), step() and pace(slow). Its sink takes `note(text)`, which stays for this training.
 * `start` may name another job than `options.job`.
 */
export function pageEngine(options, onChange = () => {}) {
  const replay = options.replay ? replayEngine(options) : options.first ? firstEngine(options) : null;
  let failure = "";     // why nothing can be trained here
  let opened = null;    // promise of {worker, address}
  let worker = null, destroyed = false;
  let newest = 0, current = null;  // {hear, fallBack} of the newest training

  function warm() {
    opened ??= openWorker(options, hear).then((made) => {
      if (destroyed || failure) return close(made);
      worker = made;
    }).catch((error) => fail(error.message));
    return opened;
  }
  function hear(message) {
    if (message.type === "failed") fail(message.text);
    else if (message.type !== "ready") current?.hear(message);
  }
  function fail(text) {
    if (failure) return;
    failure = text;
    if (worker) close(worker);
    worker = null;
    onChange();
    current?.fallBack(text);
  }
  const send = (message) => worker?.worker.postMessage(message);

  function start(state, sink, paused = false, job = options.job) {
    const steps = state.steps ?? options.steps, seen = options.seen?.numbers;
    let slow = state.slow ?? false;
    const id = ++newest, begun = performance.now();
    let over = false, points = false, stored = null, singles = 0;
    function hearThis(message) {
      if (over || message.id !== id) return;
      if (message.type === "points") {
        points = true;
        for (const [norm, some] of message.points) sink.points(norm, some);
      } else if (message.type === "finished") {
        over = true;
        sink.finished({ seconds: message.seconds, stopped: false });
      } else fallBack(message.text);
    }
    /** Stored runs instead; not in the middle of a curve. */
    function fallBack(why) {
      if (over) return;
      over = true;
      if (points) { sink.error(`The training broke off. ${why}`, why); return; }
      const unable = "This page cannot train these nets";
      if (!replay || job !== options.job) { sink.error(`${unable}. ${why}`, why); return; }
      sink.note(`${unable}, so ${replay.instead ?? "stored runs are shown"}. ${why}`);
      // Why there is no training is said beside what is wrong with the stored runs.
      const error = (text) => sink.error(`${unable}, so stored runs are looked up. ${why} ${text}`);
      stored = replay.start(state, { ...sink, error });
    }
    function stop() {
      if (stored) { stored.stop(); return; }
      if (over) return;
      over = true;
      send({ type: "drop" });
      sink.finished({ seconds: (performance.now() - begun) / 1000, stopped: true });
    }
    function cancel() {
      stored?.cancel();
      if (!over && id === newest) send({ type: "drop" });
      over = true;
    }
    const tell = (type) => {
      if (!over) send({ type, id, job, state, steps, seen, slow, paused, singles });
    };
    current = { hear: hearThis, fallBack };
    if (failure) queueMicrotask(() => fallBack(failure));
    else if (worker) tell("train");
    else warm().then(() => tell("train"));
    /** Before the worker is there, this says how the training will begin. */
    function hold(type) {
      paused = type !== "resume";
      if (type === "step" && !worker) singles++;
      tell(type);
    }
    const [pause, resume, step] = ["pause", "resume", "step"].map((type) => () => hold(type));
    function pace(isSlow) {
      slow = isSlow;
      tell("pace");
    }
    return { stop, cancel, pause, resume, step, pace };
  }

  return {
    get name() { return failure ? "replay" : "page"; },
    get badge() { return !failure ? options.badge ?? BADGE : replay?.badge ?? UNABLE; },
    get pauses() { return !failure; },
    start, warm,
    destroy() {
      destroyed = true;
      if (worker) close(worker);
      worker = null;
    },
  };
}

function close({ worker, address }) {
  worker.terminate();
  URL.revokeObjectURL(address);
}

/** A worker that has been given the nets: {worker, address of its code}. */
async function openWorker(options, hear) {
  if (typeof Worker !== "function") throw new Error("This browser has no web workers.");
  await loadScript(options.compiled, "compiled", "bnlabCompiled", "The compiled nets");
  const asset = globalThis.bnlabCompiled?.[options.compiled];
  if (asset?.format !== FORMAT) throw new Error("The compiled nets are not in a format known here.");
  for (const key of ["net", "width"]) {
    if (key in options && asset[key] !== options[key]) {
      throw new Error(`The compiled nets have ${key} ${asset[key]}, this race has ${options[key]}.`);
    }
  }
  const { worker: code, ...rest } = asset;
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(address);
  let ready = false;
  worker.onmessage = ({ data }) => { ready ||= data.type === "ready"; hear(data); };
  worker.onerror = (event) => {
    event.preventDefault();
    const text = ready ? `The worker broke off: ${event.message}.`
      : "The browser did not start the worker that trains: the site's security policy may forbid it.";
    hear({ type: "failed", text });
  };
  worker.postMessage({ type: "open", asset: rest });
  return { worker, address };
}
