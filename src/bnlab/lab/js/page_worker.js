// Trains the nets of a race in a web worker. bnlab.lab.page joins this file and what it imports to
// one classic script. Messages in:
//   {type: "open", asset}     first and once: what bnlab.lab.page has written
//   {type: "train", id, state, steps, paused, singles}    in place of anything older
//   {type: "pause"}, {type: "resume"}, {type: "step"}    one batch for each net, then pause
//   {type: "drop"}
// Messages out: {type: "ready"}, {type: "failed", text}, and for the newest race
//   {type: "points", id, points: [[norm, {loss, accuracy, records, step, diverged_at, done}], ...]}
//   {type: "finished", id, seconds}, {type: "error", id, text}

import { open } from "../../compiled/js/run.js";
import { Lane } from "./page_lane.js";

const SLICE = 12;  // ms of training between two looks at the messages

let opened = null;       // promise of what all races share
let wanted = null;       // the newest race: its message; `singles` are batches asked for
let busy = false;
let wake = () => {};     // ends a pause
const nets = new Map();  // those of the last race, by key: their heaps are used again

const fromHex = (text) => Uint8Array.from({ length: text.length / 2 },
  (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));

async function prepare(asset) {
  const store = await open({
    manifest: JSON.stringify(asset.manifest), programs: fromHex(asset.programs),
    kernels: { float32: fromHex(asset.kernels) },
  });
  const images = Float32Array.from(asset.images, (level) => (parseInt(level, 36) - 5) / 6);
  const labels = Int32Array.from(asset.labels, Number), first = asset.train;
  const pixels = images.length / labels.length;
  if (pixels !== 64) throw new Error("The images of this page are damaged.");
  return {
    store, rules: asset.rules,
    train: { images: images.subarray(0, first * pixels), labels: labels.subarray(0, first) },
    val: { images: images.subarray(first * pixels), labels: labels.subarray(first) },
  };
}

/** Why nothing can be trained. */
function sentence({ name, message }) {
  if (name !== "CompileError") return message;
  const policy = /security policy/i.test(message);
  return policy ? "The site's security policy does not allow WebAssembly ('wasm-unsafe-eval')."
    : `The compiled nets are damaged (${message}).`;
}

function keyOf({ rules }, norm, depth) {
  const key = rules.nets[norm]?.keys[depth];
  if (!key) throw new Error(`There is no compiled net of depth ${depth} with "${norm}".`);
  return key;
}

function laneOf(shared, norm, { state, steps }) {
  const { store, rules, train } = shared, key = keyOf(shared, norm, state.depth);
  if (!nets.has(key)) {
    const net = store.net(key, "float32", rules.optimizer);
    net.setData(train.images, train.labels);
    nets.set(key, net);
  }
  return new Lane(shared, nets.get(key), key, norm, state, steps);
}

/** Let messages come in. */
const channel = new MessageChannel();
function breathe() {
  return new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
}

const behind = (lanes) => lanes.filter((lane) => !lane.done).sort((a, b) => a.taken - b.taken)[0];

/** Trains for some milliseconds, the net that is behind first. */
function slice(lanes) {
  const until = performance.now() + SLICE, moved = new Set();
  for (let lane = behind(lanes); lane; lane = behind(lanes)) {
    lane.advance();
    moved.add(lane);
    if (performance.now() > until) break;
  }
  return [...moved];
}

/** Brings all nets to the same step. */
function level(lanes) {
  const step = Math.max(...lanes.map((lane) => lane.taken));
  const late = lanes.filter((lane) => !lane.done && lane.taken < step);
  for (const lane of late) while (!lane.done && lane.taken < step) lane.advance(step - lane.taken);
  return late;
}

/** Trains until all nets are done, or another race is wanted. */
async function race(shared, mine) {
  const begun = performance.now(), { id, state } = mine, lanes = [];
  const tell = async (moved) => {
    if (moved.length) postMessage({ type: "points", id, points: moved.map((lane) => lane.take()) });
    await breathe();
    return wanted === mine;
  };
  const keys = state.norms.map((norm) => keyOf(shared, norm, state.depth));
  for (const key of nets.keys()) if (!keys.includes(key)) nets.delete(key);
  for (const norm of state.norms) {
    lanes.push(laneOf(shared, norm, mine));
    if (!(await tell(lanes.slice(-1)))) return;
  }
  while (behind(lanes)) {
    let moved;
    if (!mine.paused) moved = slice(lanes);
    else if ((moved = level(lanes)).length === 0 && mine.singles > 0) {
      mine.singles--;
      moved = lanes.filter((lane) => !lane.done);
      for (const lane of moved) lane.advance(1);
    }
    if (!(await tell(moved))) return;
    if (mine.paused && !moved.length && !mine.singles) await new Promise((resolve) => { wake = resolve; });
    if (wanted !== mine) return;
  }
  wanted = null;
  postMessage({ type: "finished", id, seconds: (performance.now() - begun) / 1000 });
}

async function work() {
  busy = true;
  const shared = await opened.catch(() => null);
  while (shared && wanted) {
    const mine = wanted;
    try {
      await race(shared, mine);
    } catch (error) {
      if (wanted === mine) wanted = null;
      postMessage({ type: "error", id: mine.id, text: error.message });
    }
  }
  busy = false;
}

function hear(message) {
  if (message.type === "open") {
    opened = prepare(message.asset);
    opened.then(() => postMessage({ type: "ready" }),
      (error) => postMessage({ type: "failed", text: sentence(error) }));
  } else if (message.type === "train") wanted = message;
  else if (message.type === "drop") wanted = null;
  else if (wanted) {
    wanted.paused = message.type !== "resume";
    if (message.type === "step") wanted.singles++;
  }
  wake();
  if (wanted && !busy) work();
}

onmessage = ({ data }) => hear(data);
