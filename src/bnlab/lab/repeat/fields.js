// Refuses a file or a state that was changed by hand: one sentence, with the name of the field.

const isText = (value) => typeof value === "string";
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const namedAs = (is) => (value) => isObject(value) && Object.values(value).every(is);
const listOf = (is) => (value) => Array.isArray(value) && value.every(is);

/** What a field may be: the words for it, and whether a value is one. */
const FIELD_TYPES = {
  text: ["text", isText],
  number: ["a finite number", Number.isFinite],
  flag: ["true or false", (value) => typeof value === "boolean"],
  seeds: ["a list of whole numbers, 0 or more", listOf((value) => Number.isSafeInteger(value) && value >= 0)],
  numbers: ["named numbers, finite", namedAs(Number.isFinite)],
  lists: ["named lists of finite numbers", namedAs(listOf(Number.isFinite))],
};

/** An error whose message is a sentence for the reader. */
export class ReaderError extends Error {}

export function requireThat(holds, sentence) {
  if (!holds) throw new ReaderError(sentence);
}

/** Each of the fields {name: type} is there and is what it must be; `what` begins the sentence. */
export function requireFields(object, fields, what) {
  requireThat(isObject(object), `${what} is not an object with the fields ${Object.keys(fields).join(", ")}.`);
  for (const [name, type] of Object.entries(fields)) {
    const [words, is] = FIELD_TYPES[type];
    requireThat(Object.hasOwn(object, name), `${what} lacks "${name}", which is ${words}.`);
    requireThat(is(object[name]), `${what} has "${name}": ${inShort(object[name])}; it must be ${words}.`);
  }
}

/** A value in a sentence, cut where it is long. */
export function inShort(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
