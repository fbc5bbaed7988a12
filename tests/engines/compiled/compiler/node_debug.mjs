// Runs modules that python -m bnlab.engines.compiled debug wrote, and prints numbers that they leave behind.
// node node_debug.mjs FILE < {"name": count, ...}; what the module itself says goes to stderr.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const say = console.log;
console.log = console.error;
const { H, PLACES } = await import(pathToFileURL(process.argv[2]));
const wanted = Object.entries(JSON.parse(readFileSync(0, "utf8")));
const parts = wanted.map(([name, count]) => [name, [...H.slice(PLACES[name], PLACES[name] + count)]]);
say(JSON.stringify(Object.fromEntries(parts)));
