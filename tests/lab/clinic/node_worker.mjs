// node node_worker.mjs ASSET < requests.json: what the worker of a page tells of each request,
// [{job, state, steps}, ...] -> [[[name, content], ...], ...]. ASSET is what bnlab.lab.kit.page writes.
import { readFileSync } from "node:fs";
import vm from "node:vm";

vm.runInThisContext(readFileSync(process.argv[2], "utf8"));
const [asset] = Object.values(globalThis.bnlabCompiled);
const heard = [];
let answered = () => {};
globalThis.postMessage = (message) => {
  if (message.type === "points") heard.push(...message.points);
  else answered(message);
};
globalThis.onmessage = null;
vm.runInThisContext(asset.worker);
function ask(message) {
  return new Promise((resolve) => {
    answered = resolve;
    globalThis.onmessage({ data: message });
  });
}
const answers = [];
const ready = await ask({ type: "open", asset });
if (ready.type !== "ready") throw new Error(ready.text);
for (const [id, request] of JSON.parse(readFileSync(0, "utf8")).entries()) {
  heard.length = 0;
  const end = await ask({ type: "train", id, paused: false, singles: 0, ...request });
  if (end.type !== "finished") throw new Error(end.text);
  answers.push([...heard]);
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0));  // the worker's channel is open
