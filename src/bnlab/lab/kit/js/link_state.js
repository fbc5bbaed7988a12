// A state as the query of an address, and back. No drawing here.

/** `lr=0.3&norms=none,batch&predict=1`, of these keys. */
export function writeQuery(state, keys) {
  const text = (value) => (typeof value === "boolean" ? Number(value) : value);
  return keys.map((key) => `${key}=${text(state[key])}`).join("&");
}

/**
 * The part of a query that makes sense, and a sentence for each value that does not.
 *
 * `lists` has the values of each key, numbers or strings; `norms` is {offered, fewest}, of which
 * `norms=a,b` names some; `predict=1` is known everywhere.
 */
export function parseQuery(query, lists, norms = null) {
  const state = {}, problems = [];
  for (const [key, text] of query) {
    if (key === "norms" && norms) readNorms(text);
    else if (key === "predict" && /^[01]$/.test(text)) state.predict = text === "1";
    else if (Object.hasOwn(lists, key)) readOne(key, text);
    else problems.push(`${key}=${text} means nothing here`);
  }
  return { state, problems };

  function readOne(key, text) {
    const is = (value) => (typeof value === "number" ? text.trim() !== "" && value === Number(text) : value === text);
    const value = lists[key].find(is);
    if (value !== undefined) state[key] = value;
    else problems.push(`${key}=${text} is not one of ${lists[key].join(", ")}`);
  }
  function readNorms(text) {
    const { offered, fewest } = norms, names = text.split(",");
    const chosen = offered.filter((name) => names.includes(name));
    if (chosen.length >= fewest && chosen.length === names.length) state.norms = chosen;
    else problems.push(`norms=${text} is not ${fewest === 1 ? "one" : fewest} or more of ${offered.join(", ")}`);
  }
}
