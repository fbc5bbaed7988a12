// Computes for a page, in a web worker. bnlab.lab.kit.page joins the jobs, this file and what they
// import to one classic script. Messages in:
//   {type: "open", asset}     first and once: what bnlab.lab.kit.page has written
//   {type: "train", id, job, state, steps, seen, slow, paused, singles}    in place of anything older
//   {type: "pause"}, {type: "resume"}, {type: "step"}    one batch for each net, then pause
//   {type: "pace", slow}      whether it goes on in slow motion
//   {type: "drop"}
// Messages out: {type: "ready"}, {type: "failed", text}, and for the newest request
//   {type: "points", id, points: [[name, content], ...]}
//   {type: "finished", id, seconds}, {type: "error", id, text}

import { open } from "../../../engines/compiled/js/run.js";
import { JOBS } from "./page_jobs.js";

let opened = null;       // promise of what all requests share
let wanted = null;       // the newest request: its message; `singles` are batches asked for
let busy = false;
let wake = () => {};     // ends a pause

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
  return new Shared({
    store, rules: asset.rules,
    train: { images: images.subarray(0, first * pixels), labels: labels.subarray(0, first) },
    val: { images: images.subarray(first * pixels), labels: labels.subarray(first) },
  });
}

/** What all requests share: the compiled nets and the images. */
class Shared {
  constructor(parts) {
    Object.assign(this, parts);
    this.nets = new Map();  // those of the last request, {net, update} by key: their heaps are used again
  }

  keyOf(variant, depth) {
    const key = this.rules.nets[variant]?.keys[depth];
    if (!key) throw new Error(`There is no compiled net of depth ${depth} with "${variant}".`);
    return key;
  }

  /** A net with the training images in its heap; `update` is its optimizer. */
  net(variant, depth, update = this.rules.optimizer) {
    const key = this.keyOf(variant, depth);
    if (this.nets.get(key)?.update !== update) {
      const net = this.store.net(key, "float32", update);
      net.setData(this.train.images, this.train.labels);
      this.nets.set(key, { net, update });
    }
    return this.nets.get(key).net;
  }

  /** Forget all nets but these. */
  keep(keys) {
    for (const key of this.nets.keys()) if (!keys.includes(key)) this.nets.delete(key);
  }
}

/** Why nothing can be trained. */
function sentence({ name, message }) {
  if (name !== "CompileError") return message;
  const policy = /security policy/i.test(message);
  return policy ? "The site's security policy does not allow WebAssembly ('wasm-unsafe-eval')."
    : `The compiled nets are damaged (${message}).`;
}

/** Let messages come in. */
const channel = new MessageChannel();
function breathe() {
  return new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
}

async function serve(shared, mine) {
  const begun = performance.now(), { id } = mine;
  const tell = async (points) => {
    if (points.length) postMessage({ type: "points", id, points });
    await breathe();
    return wanted === mine;
  };
  /** Waits for the next message, or for so many ms; whether the request is still wanted then. */
  mine.woken = async (most = null) => {
    await new Promise((resolve) => {
      wake = resolve;
      if (most !== null) setTimeout(resolve, most);
    });
    return wanted === mine;
  };
  const job = JOBS[mine.job ?? "side_by_side"];
  if (!job) throw new Error(`This page has no job "${mine.job}".`);
  await job(shared, mine, tell);
  if (wanted !== mine) return;
  wanted = null;
  postMessage({ type: "finished", id, seconds: (performance.now() - begun) / 1000 });
}

async function work() {
  busy = true;
  const shared = await opened.catch(() => null);
  while (shared && wanted) {
    const mine = wanted;
    try {
      await serve(shared, mine);
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
  else if (wanted && message.type === "pace") wanted.slow = message.slow;
  else if (wanted) {
    wanted.paused = message.type !== "resume";
    if (message.type === "step") wanted.singles++;
  }
  wake();
  if (wanted && !busy) work();
}

onmessage = ({ data }) => hear(data);
