// Trains compiled nets in node as a page would, and prints what came out, in bits.
// node node_train.mjs FOLDER DATA.json < tasks.json
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
const [folder, js, data] = process.argv.slice(2);
const { open } = await import(`${js}/run.js`);
const random = await import(`${js}/random.js`);

const file = (name) => new Uint8Array(readFileSync(`${folder}/${name}`));
const kernels = Object.fromEntries(
  ["float32", "float64"].map((p) => [p, file(`kernels.${p}.wasm`)]),
);
const store = await open({ manifest: file("manifest.json"), programs: file("programs.bin"), kernels });
const { images, labels, val_x, val_y } = JSON.parse(readFileSync(data, "utf8"));
const digest = (array) =>
  createHash("sha256").update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)).digest("hex");

const tasks = JSON.parse(readFileSync(0, "utf8"));
const results = tasks.map((task) => {
  const net = store.net(task.key, task.precision, task.update), rules = store.rules(task.key);
  net.setData(images, labels);
  const state = {};
  for (const part of ["params", "buffers", "counters"]) state[part] = random.initial(rules[part], task.seed);
  net.start(state);
  net.set(task.inputs);
  const draw = random.sampler(task.sampler, labels, task.seed, task.batch, task.k);
  const seen = net.steps(draw(0, task.steps), task.batch, task.limit ?? Infinity);
  const end = net.getState();
  return {
    taken: seen.taken,
    loss: digest(Float64Array.from(seen.loss)),
    accuracy: digest(Float64Array.from(seen.accuracy)),
    params: digest(end.params),
    buffers: digest(end.buffers),
    counters: [...end.counters],
    metrics: net.lastMetrics(),
    evaluation: net.evaluate(val_x, val_y),
    batchStatistics: net.evaluate(val_x, val_y, true),
  };
});
console.log(JSON.stringify(results));
