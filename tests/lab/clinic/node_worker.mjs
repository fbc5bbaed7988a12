// node node_worker.mjs FILE < asked.json, with a file that bnlab.lab.kit.page has made and a list of
// [job, state, steps]: what the worker of a page answers to each, [points, end].
import { readFileSync } from "node:fs";

const [file] = process.argv.slice(2);
(0, eval)(readFileSync(file, "utf8"));
const [asset] = Object.values(globalThis.bnlabCompiled);

let heard = () => {};
globalThis.onmessage = null;
globalThis.postMessage = (message) => heard(structuredClone(message));
(0, eval)(asset.worker);

const send = (data) => globalThis.onmessage({ data });
const until = (isLast) => new Promise((resolve) => {
  const points = [];
  heard = (message) => {
    if (message.type === "points") points.push(...message.points);
    else if (isLast(message)) resolve([points, message]);
  };
});

const ready = until(() => true);
send({ type: "open", asset });
const [, opened] = await ready;
if (opened.type !== "ready") throw new Error(opened.text);
const answers = [];
for (const [id, [job, state, steps]] of JSON.parse(readFileSync(0, "utf8")).entries()) {
  const answer = until((message) => message.id === id);
  send({ type: "train", id, job, state, steps, paused: false, singles: 0 });
  answers.push(await answer);
}
process.stdout.write(JSON.stringify(answers), () => process.exit());
