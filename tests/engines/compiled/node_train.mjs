// node node_train.mjs FOLDER < tasks.json, with a folder as bits_cases.py makes it
import { readFileSync } from "node:fs";
const [folder] = process.argv.slice(2);
const { trained } = await import(`${folder}/trained.mjs`);
const file = async (name) => new Uint8Array(readFileSync(`${folder}/${name}`));
console.log(JSON.stringify(await trained(file, JSON.parse(readFileSync(0, "utf8")))));
