// Trains compiled nets as a page would, in node and in a browser, and tells what came out, in bits.
//
//   trained(file, tasks)   file: path in the folder of bits_cases.py -> bytes; tasks: { set: [task] }
import { open } from "./js/run.js";
import * as random from "./js/random.js";

const text = (bytes) => new TextDecoder().decode(bytes);

async function digest({ buffer, byteOffset, byteLength }) {
  const hash = await crypto.subtle.digest("SHA-256", new Uint8Array(buffer, byteOffset, byteLength));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What is told of the layers; of a binary net they are numbers one after the other. */
async function metrics(net, isBinary) {
  const found = net.lastMetrics();
  return isBinary ? { gradientNorm: found.gradientNorm, signs: await digest(net.layers()) } : found;
}

async function result(store, { images, labels, val_x, val_y }, task) {
  const net = store.net(task.key, task.precision, task.update, task.extra);
  const rules = store.rules(task.key);
  net.setData(images, random.wrongLabels(labels, task.wrong, 10, task.seed));
  const state = {};
  for (const part of ["params", "buffers", "counters"]) state[part] = random.initial(rules[part], task.seed, task.start);
  net.start(state);
  net.set(task.inputs);
  if (task.decay !== null) net.set({ decay: task.decay });
  const draw = random.sampler(task.sampler, labels, task.seed, task.batch, task.k);
  const seen = net.steps(draw(0, task.free), task.batch);
  if (task.free < task.steps) {
    net.constrain();
    const rest = net.steps(draw(task.free, task.steps - task.free), task.batch);
    seen.taken += rest.taken;
    for (const name of ["loss", "accuracy"]) seen[name].push(...rest[name]);
  }
  const end = net.getState();
  return {
    taken: seen.taken,
    loss: await digest(Float64Array.from(seen.loss)),
    accuracy: await digest(Float64Array.from(seen.accuracy)),
    params: await digest(end.params),
    buffers: await digest(end.buffers),
    counters: [...end.counters],
    metrics: await metrics(net, task.key.startsWith("binary")),
    evaluation: net.evaluate(val_x, val_y),
    batchStatistics: net.evaluate(val_x, val_y, true),
  };
}

export async function trained(file, tasks) {
  const data = JSON.parse(text(await file("data.json"))), results = {};
  for (const [set, some] of Object.entries(tasks)) {
    const kernels = {};
    for (const { precision } of some) kernels[precision] ??= await file(`${set}/kernels.${precision}.wasm`);
    const [manifest, programs] = [await file(`${set}/manifest.json`), await file(`${set}/programs.bin`)];
    const store = await open({ manifest, programs, kernels });
    results[set] = [];
    for (const task of some) results[set].push(await result(store, data, task));
  }
  return results;
}
