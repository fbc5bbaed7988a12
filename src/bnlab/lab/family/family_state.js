// The state of a Family: {norm, mode, batch_size, group_size, ghost_size, cell, samples}; cell is
// [sample, channel, row, column]; samples are indices of the pool, of which the first ones are shown.

/** Index of a cell in a block of shape (N, C, H, W), in C order. */
export function indexOf([n, c, h, w], [C, H, W]) {
  return ((n * C + c) * H + h) * W + w;
}

export function cellAt(index, [C, H, W]) {
  const w = index % W, h = Math.floor(index / W) % H, c = Math.floor(index / (W * H)) % C;
  return [Math.floor(index / (W * H * C)), c, h, w];
}

/** The cell inside the batch, and the ghost batch at most as large as the batch. */
export function fitted(state) {
  const [n, ...place] = state.cell;
  return {
    ...state,
    cell: [Math.min(n, state.batch_size - 1), ...place],
    ghost_size: Math.min(state.ghost_size, state.batch_size),
  };
}

// ---- the address -------------------------------------------------------------------------------

const FAMILY_KEYS = ["norm", "mode", "batch_size", "group_size", "ghost_size", "cell", "samples"];

export function writeFamily(state) {
  return FAMILY_KEYS.map((key) => `${key}=${state[key]}`).join("&");
}

/** The part of a link that makes sense here, and a sentence for each value that does not. */
export function parseFamily(query, now, options) {
  const state = {}, problems = [];
  for (const [key, text] of query) {
    if (key === "cell") readCell(text);
    else if (key === "samples") readSamples(text);
    else if (FAMILY_KEYS.includes(key)) readOne(key, text);
    else problems.push(`${key}=${text} means nothing here`);
  }
  const { norm, batch_size: batch, ghost_size: ghost, cell } = { ...now, ...state };
  if (state.ghost_size > batch && norm === "ghost_batch") problems.push(`ghost_size=${ghost} is larger than the batch of ${batch}`);
  if (state.cell?.[0] >= batch) problems.push(`cell=${cell} is not in a batch of ${batch}`);
  return { state, problems };

  function readOne(key, text) {
    const value = options[`${key}s`].find((one) => String(one) === text);
    if (value !== undefined) state[key] = value;
    else problems.push(`${key}=${text} is not one of ${options[`${key}s`].join(", ")}`);
  }
  function readCell(text) {
    const cell = wholeNumbers(text), shape = [Math.max(...options.batch_sizes), ...options.shape];
    if (cell?.length === 4 && cell.every((at, axis) => at < shape[axis])) state.cell = cell;
    else problems.push(`cell=${text} is not sample,channel,row,column, counted from 0`);
  }
  function readSamples(text) {
    const samples = wholeNumbers(text), count = Math.max(...options.batch_sizes), size = options.pool.length;
    const different = new Set(samples).size === count && samples.every((sample) => sample < size);
    if (samples?.length === count && different) state.samples = samples;
    else problems.push(`samples=${text} are not ${count} different numbers from 0 to ${size - 1}`);
  }
}

function wholeNumbers(text) {
  return /^\d+(,\d+)*$/.test(text) ? text.split(",").map(Number) : null;
}
