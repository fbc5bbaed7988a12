// Who computes. Each engine has a name, a badge (a short sentence for the reader) and
// `start(state, sink)`, which returns {stop()}. The sink takes
//   points(norm, {loss, accuracy, diverged_at, done})   new points only, as [step, value] pairs
//   finished({seconds, stopped, device})
//   waiting(text)   nothing has come yet, and why that may be
//   error(text)
// and hears nothing more after `cancel()`: a newer training has begun.

// ---- kernel: Python trains, and sends points ---------------------------------------------------

const SILENCE = 8000;  // ms without any answer before the reader is told
let lastMessage = Date.now();  // ids of one page grow, and differ between its views

export function kernelEngine(model, options) {
  // Where the page trains too, with code of its own, rounding grows apart.
  const apart = options.compiled ? "; rounding makes its numbers differ from the page's" : "";
  const badge = `kernel: PyTorch trains on ${options.device ?? "its device"}${apart}`;
  function start(state, sink) {
    const id = ++lastMessage;
    let over = false;
    let silence = 0;
    function wait() {
      clearTimeout(silence);
      silence = setTimeout(() => {
        sink.waiting("The kernel does not answer. Is it running, and not busy with another cell?");
      }, SILENCE);
    }
    function hear(message) {
      if (message?.id !== id || over) return;
      wait();
      if (message.type === "points") sink.points(message.norm, message);
      if (message.type === "finished") { end(); sink.finished(message); }
      if (message.type === "error") { end(); sink.error(message.text); }
    }
    function end() {
      over = true;
      clearTimeout(silence);
      model.off("msg:custom", hear);
    }
    function stop() {  // at once, whether or not the kernel still answers
      if (over) return;
      end();
      sink.finished({ stopped: true });
      tell({ type: "stop", id });
    }
    function tell(message) {
      try {
        model.send(message);
      } catch (error) {
        if (!over) { end(); sink.error(`The kernel cannot be reached: ${error.message}`); }
      }
    }
    model.on("msg:custom", hear);
    wait();
    tell({ type: "train", id, state });
    return { stop, cancel: end };
  }
  return { name: "kernel", badge, start };
}

// ---- replay: stored runs of the same code ------------------------------------------------------

const PLAY = 1200, SLOW = 10_000;  // ms for all steps, and in slow motion
const NO_VALUE = 255;
const AXES = ["norm", "lr", "batch_size", "depth", "seed"];  // slowest first
const AXIS_WORDS = {
  norm: "normalizer", lr: "learning rate", batch_size: "batch size", weight_decay: "weight decay",
};
const FIXED = { momentum: 0, weight_decay: 0, noise: 1 };  // of all stored runs
const scripts = new Map();

export function replayEngine(options) {
  const badge = "replay: stored runs of the same code";
  function start(state, sink) {
    let handle = 0, over = false, shown = -1, runs = null;
    const begun = performance.now();
    const end = () => { over = true; cancelAnimationFrame(handle); };
    const fail = (error) => { if (!over) { end(); sink.error(error.message); } };
    function upTo(step) {
      for (const [norm, run] of runs) sink.points(norm, slice(run, shown, step));
      shown = step;
    }
    function play({ steps, lossSteps }, first) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const frame = (now) => {
        if (over) return;
        const share = still ? 1 : Math.min(1, Math.max(0, now - first) / (state.slow ? SLOW : PLAY));
        upTo(Math.max(lossSteps[0], Math.round(share * steps)));  // a point of each at once
        if (share < 1) { handle = requestAnimationFrame(frame); return; }
        end();
        sink.finished({ seconds: (performance.now() - begun) / 1000, stopped: false });
      };
      frame(first);
    }
    function ready(grid) {
      if (over) return;
      const wanted = { steps: grid.steps, ...FIXED, ...state };
      runs = state.norms.map((norm) => [norm, lookUp(grid, { ...wanted, norm })]);
      play(grid, performance.now());
    }
    const known = scripts.get(options.replay);
    try {
      if (known?.grid) ready(known.grid);  // at once, in the frame that asked
      else load(options).then(ready).catch(fail);
    } catch (error) { queueMicrotask(() => fail(error)); }
    function stop() {
      if (over) return;
      end();
      sink.finished({ seconds: (performance.now() - begun) / 1000, stopped: true });
    }
    return { stop, cancel: end };
  }
  return { name: "replay", badge, start };
}

/** The stored grid, loaded once a page by a script element: that works from file:// too. */
function load(options) {
  const name = options.replay;
  if (!scripts.has(name)) {
    const entry = {};
    entry.promise = loadScript(name).then(() => (entry.grid = readGrid(name, options)));
    entry.promise.catch(() => scripts.delete(name));
    scripts.set(name, entry);
  }
  return scripts.get(name).promise;
}

const onTheWay = new Map();  // promises of scripts, by folder and name

/** Loads _static/FOLDER/NAME.js, which puts something into the global object `place`. */
export function loadScript(name, folder = "replay", place = "bnlabReplay", what = "The stored runs") {
  if (globalThis[place]?.[name]) return Promise.resolve();
  const key = `${folder}/${name}`;
  if (!onTheWay.has(key)) {
    onTheWay.set(key, addScript(`_static/${key}.js`, what).finally(() => onTheWay.delete(key)));
  }
  return onTheWay.get(key);
}

function addScript(path, what) {
  const root = document.documentElement.dataset.content_root ?? "./";
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${root}${path}`;
    script.onload = resolve;
    script.onerror = () => {
      script.remove();
      reject(new Error(`${what} (${script.src}) could not be loaded.`));
    };
    document.head.append(script);
  });
}

function readGrid(name, options) {
  const data = globalThis.bnlabReplay?.[name];
  if (data?.version !== 1) throw new Error(`The stored runs '${name}' are not in a format known here.`);
  for (const key of ["net", "width"]) {
    if (key in data && data[key] !== options[key]) {
      throw new Error(`The stored runs have ${key} ${data[key]}, this race has ${options[key]}.`);
    }
  }
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const diverged = new DataView(bytes(data.diverged_at).buffer);
  const names = new Set(options.norms.map(({ name }) => name));
  const offered = { norm: [...names], lr: options.lrs, batch_size: options.batch_sizes, depth: options.depths, seed: options.seeds };
  return {
    axes: data.axes, offered, steps: data.steps, range: data.loss_range,
    lossSteps: data.loss_steps, accuracySteps: data.accuracy_steps,
    loss: bytes(data.loss), accuracy: bytes(data.accuracy),
    divergedAt: (run) => diverged.getInt16(2 * run, true),
  };
}

/**
 * Number of a run in C order; an error that names the value which is not on the grid, with those of
 * the grid that the reader can choose here.
 */
function runNumber({ axes, offered, steps }, wanted) {
  let number = 0;
  for (const axis of AXES) {
    const values = axes[axis];
    const at = values.findIndex((value) => same(value, wanted[axis]));
    if (at < 0) {
      const some = values.filter((value) => offered[axis].some((one) => same(one, value)));
      throw some.length ? notStored(AXIS_WORDS[axis] ?? axis, wanted[axis], some)
        : new Error("No run of this race is stored.");
    }
    number = number * values.length + at;
  }
  for (const [key, value] of Object.entries(FIXED)) {
    const isSeen = key !== "noise" || wanted.norm === "noisy_batch";
    if (isSeen && !same(wanted[key], value)) throw notStored(AXIS_WORDS[key] ?? key, wanted[key], [value]);
  }
  if (wanted.steps !== steps) throw new Error(`No stored run has ${wanted.steps} steps; there is ${steps}.`);
  return number;
}

const notStored = (words, value, stored) =>
  new Error(`No stored run has ${words} ${value}; there is ${stored.join(", ")}.`);

const same = (a, b) => a === b || (typeof a === "number" && Math.abs(a - b) <= 1e-6 * Math.abs(a));

/** One stored run as {loss, accuracy, diverged_at}. */
function lookUp(grid, wanted) {
  const run = runNumber(grid, wanted), [low, high] = grid.range;
  const read = (bytes, steps, value) => {
    const codes = bytes.subarray(run * steps.length, (run + 1) * steps.length);
    return steps.map((step, i) => [step, codes[i]])
      .filter(([, code]) => code !== NO_VALUE).map(([step, code]) => [step, value(code)]);
  };
  const at = grid.divergedAt(run);
  return {
    loss: read(grid.loss, grid.lossSteps, (code) => low * (high / low) ** (code / 254)),
    accuracy: read(grid.accuracy, grid.accuracySteps, (code) => code / 250),
    diverged_at: at < 0 ? null : at,
    steps: grid.steps,
  };
}

/** The points of a run after step `from` up to step `to`. */
function slice(run, from, to) {
  const fresh = ([step]) => step > from && step <= to;
  const diverged = run.diverged_at !== null && run.diverged_at <= to;
  return {
    loss: run.loss.filter(fresh), accuracy: run.accuracy.filter(fresh),
    diverged_at: diverged ? run.diverged_at : null, done: diverged || to >= run.steps,
  };
}
