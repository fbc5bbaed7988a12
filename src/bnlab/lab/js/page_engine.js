// The page engine: nets of a race are trained in the reader's browser, in a web worker. Where that
// is not possible it says so, and stored runs are shown instead.

import { kernelEngine, loadScript, replayEngine } from "./engines.js";

const FORMAT = 1;

/** The engine for this place; `onChange` is called when its badge has changed. */
export function chooseEngine(model, options, onChange) {
  if (model.bnlabHost !== "static") return kernelEngine(model, options);
  return options.compiled ? pageEngine(options, onChange) : replayEngine(options);
}

/**
 * An engine as in engines.js, and more: `badge` may change; `warm()` loads what it needs;
 * `destroy()` ends its worker. Its sink takes `note(text)`, which stays for this training.
 */
export function pageEngine(options, onChange = () => {}) {
  const replay = replayEngine(options);
  let failure = "";     // why nothing can be trained here
  let worker = null, address = null, opened = null;
  let newest = 0, current = null;  // {hear, fail} of the newest training

  function warm() {
    opened ??= openWorker(options).then((made) => {
      ({ worker, address } = made);
      if (opened === null) { end(); return; }  // destroyed meanwhile
      worker.onmessage = ({ data }) => (data.type === "failed" ? fail(data.text) : current?.hear(data));
      worker.onerror = (event) => { event.preventDefault(); fail("The worker of this page broke off."); };
    }).catch((error) => fail(error.message));
    return opened;
  }
  function end() {
    worker?.terminate();
    if (address) URL.revokeObjectURL(address);
    worker = address = null;
  }
  function fail(text) {
    if (failure) return;
    failure = text;
    end();
    onChange();
    current?.fail();
  }

  function start(state, sink) {
    const id = ++newest, begun = performance.now();
    let over = false, points = false, stored = null;
    function hear(message) {
      if (over || message.id !== id) return;
      if (message.type === "points") {
        points = true;
        for (const [norm, some] of message.points) sink.points(norm, some);
      } else if (message.type === "finished") {
        over = true;
        sink.finished({ seconds: message.seconds, stopped: false });
      } else if (message.type === "error") fail(message.text);
    }
    /** Stored runs instead; not in the middle of a curve. */
    function fallBack() {
      if (over) return;
      over = true;
      if (points) { sink.error(`The training broke off: ${failure}`); return; }
      sink.note(`Stored runs are shown, as this page cannot train: ${failure}`);
      stored = replay.start(state, sink);
    }
    function stop() {
      if (stored) stored.stop();
      else if (!over) {
        over = true;
        worker?.postMessage({ type: "drop" });
        sink.finished({ seconds: (performance.now() - begun) / 1000, stopped: true });
      }
    }
    function cancel() {
      over = true;
      stored?.cancel();
      if (id === newest) worker?.postMessage({ type: "drop" });
    }
    current = { hear, fail: fallBack };
    if (failure) fallBack();
    else {
      const tell = () => { if (!over) worker?.postMessage({ type: "train", id, state, steps: options.steps }); };
      if (worker) tell();
      else warm().then(tell);
    }
    return { stop, cancel };
  }

  return {
    get name() { return failure ? "replay" : "page"; },
    get badge() {
      return failure ? replay.badge
        : "in this page: trained here, bit for bit as in Python with engine='compiled'";
    },
    start, warm,
    destroy() { opened = null; end(); },
  };
}

/** A worker that has been given the nets: {worker, address of its code}. */
async function openWorker(options) {
  if (typeof Worker !== "function") throw new Error("This browser has no web workers.");
  await loadScript(options.compiled, "compiled", "bnlabCompiled", "The compiled nets");
  const asset = globalThis.bnlabCompiled?.[options.compiled];
  if (asset?.format !== FORMAT) throw new Error("The compiled nets are not in a format known here.");
  for (const key of ["net", "width"]) {
    if (asset[key] !== options[key]) {
      throw new Error(`The compiled nets have ${key} ${asset[key]}, this race has ${options[key]}.`);
    }
  }
  const { worker: code, ...rest } = asset;
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(address);
  worker.postMessage({ type: "open", asset: rest });
  return { worker, address };
}
