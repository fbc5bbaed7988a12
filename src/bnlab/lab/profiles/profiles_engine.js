// Who computes the profiles: Python, or a look at the stored ones. The interface is that of the
// race's engines (engines.js); the sink's points are {variance, cosine, gradient_norm, seeds}, lists
// with [median, smallest, largest] or null for each layer.

import { kernelEngine, loadScript } from "../kit/js/engines.js";
import { variantOf } from "./profiles_state.js";

const NOT_STORED = 65535, LEVELS = 65533;  // see profile_grid.py
const grids = new Map();

export function chooseProfiler(model, options) {
  if (model.bnlabHost === "static") return lookUpEngine(options);
  return { ...kernelEngine(model, options), badge: `kernel: PyTorch measures on ${options.device}` };
}

function lookUpEngine(options) {
  function start(state, sink) {
    let over = false;
    const fail = (error) => { if (!over) { over = true; sink.error(error.message); } };
    function ready(grid) {
      if (over) return;
      const found = state.norms.map((norm) => [norm, profileOf(grid, state, norm)]);
      for (const [norm, points] of found) sink.points(norm, points);
      over = true;
      sink.finished({ stopped: false });
    }
    const known = grids.get(options.replay);
    try {
      if (known?.grid) ready(known.grid);  // at once, in the frame that asked
      else loadProfiles(options.replay).then(ready).catch(fail);
    } catch (error) { fail(error); }
    return { stop() { over = true; }, cancel() { over = true; } };
  }
  return { name: "replay", badge: "replay: stored results of the same code", start };
}

function loadProfiles(name) {
  if (!grids.has(name)) {
    const entry = {};
    entry.promise = loadScript(name).then(() => (entry.grid = readProfiles(name)));
    entry.promise.catch(() => grids.delete(name));
    grids.set(name, entry);
  }
  return grids.get(name).promise;
}

function readProfiles(name) {
  const data = globalThis.bnlabReplay?.[name];
  if (data?.version !== 1) throw new Error(`The stored profiles '${name}' are not in a format known here.`);
  const codes = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return (at) => view.getUint16(2 * at, true);
  };
  const power = (code, [low, high]) =>
    (code === 0 ? 0 : 10 ** (low + ((high - low) * (code - 1)) / LEVELS));
  const read = (quantity, value) => {
    const code = codes(data[quantity]);
    return (at) => (code(at) === NOT_STORED ? null : value(code(at), data.ranges[quantity]));
  };
  return {
    axes: data.axes, seeds: data.seeds,
    values: {
      variance: read("variance", power),
      cosine: read("cosine", (code) => (code - 1) / LEVELS),
      gradient_norm: read("gradient_norm", power),
    },
  };
}

/** One stored profile. The arrays lie in the order of the axes, a deeper net taking more room. */
function profileOf({ axes, seeds, values }, state, norm) {
  const place = (axis, value) => {
    const at = axes[axis].indexOf(value);
    if (at < 0) throw new Error(`No stored profile has ${axis} ${value}; there is ${axes[axis].join(", ")}.`);
    return at;
  };
  const { depth } = state, count = axes.net.length * axes.width.length * axes.variant.length;
  const before = axes.depth.slice(0, place("depth", depth)).reduce((sum, one) => sum + one, 0);
  const number = (place("net", state.net) * axes.width.length + place("width", state.width)) * axes.variant.length
    + place("variant", variantOf(state, norm));
  const start = 3 * (before * count + number * depth);
  const rows = (value) => Array.from({ length: depth }, (_, layer) => {
    const row = [0, 1, 2].map((k) => value(start + k * depth + layer));
    return row.includes(null) ? null : row;
  });
  const found = Object.entries(values).map(([quantity, value]) => [quantity, rows(value)]);
  return { ...Object.fromEntries(found), seeds };
}
