// A perceptron from its parameters, in float64: where its layers lie, and what a linear layer gives.

const MLP_WIDTH = 64, MLP_CLASSES = 10;  // an image has 64 pixels, too

/**
 * The layers of a perceptron of this depth: {weight, bias} of the linear layer, and of its normalizer
 * {gamma, beta} and, if it has running statistics, {mean, variance}; the last one is that of the classes.
 *
 * @param state     {params, buffers}, as getState() of a compiled net gives them
 * @param hasNorms  whether there are normalizers
 */
export function mlpLayers({ params, buffers }, depth, hasNorms = true) {
  let at = 0, kept = 0;
  const next = (count) => Float64Array.from(params.subarray(at, at += count));
  const running = () => Float64Array.from(buffers.subarray(kept, kept += MLP_WIDTH));
  const layers = Array.from({ length: depth }, () => {
    const layer = { weight: next(MLP_WIDTH ** 2), bias: next(MLP_WIDTH) };
    if (hasNorms) Object.assign(layer, { gamma: next(MLP_WIDTH), beta: next(MLP_WIDTH) });
    if (kept < buffers.length) Object.assign(layer, { mean: running(), variance: running() });
    return layer;
  });
  layers.push({ weight: next(MLP_WIDTH * MLP_CLASSES), bias: next(MLP_CLASSES) });
  if (at !== params.length || kept !== buffers.length) throw new Error("This net is no such perceptron.");
  return layers;
}

/** x W^T + b: of `count` rows of numbers, one after the other. */
export function linear(x, { weight, bias }, count) {
  const ins = x.length / count, outs = bias.length, y = new Float64Array(count * outs);
  for (let i = 0; i < count; i++) {
    for (let o = 0; o < outs; o++) {
      let sum = bias[o];
      for (let k = 0, w = o * ins, at = i * ins; k < ins; k++) sum += weight[w + k] * x[at + k];
      y[i * outs + o] = sum;
    }
  }
  return y;
}

/** What gradients by the outputs of a linear layer are by its inputs: g W. */
export function linearBack(g, { weight, bias }, count) {
  const outs = bias.length, ins = weight.length / outs, x = new Float64Array(count * ins);
  for (let i = 0; i < count; i++) {
    for (let o = 0; o < outs; o++) {
      const value = g[i * outs + o];
      if (value === 0) continue;
      for (let k = 0, w = o * ins, at = i * ins; k < ins; k++) x[at + k] += value * weight[w + k];
    }
  }
  return x;
}
