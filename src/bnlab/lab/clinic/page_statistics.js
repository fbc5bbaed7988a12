// Statistics of BatchNorm computed anew in a page, as bnlab.norms.recompute_statistics does.

const RECOMPUTED_FROM = 64;  // images a batch
const SIDE_SQUARED = 64;     // pixels of an image
export const USUAL_MOMENTUM = 0.1;

/** The mean of what batches of these images leave in the statistics of a net with this momentum. */
function recomputedBuffers(net, { images, labels }, momentum) {
  const count = net.sizes.buffers, sums = new Float64Array(count);
  let batches = 0;
  for (let first = 0; first < labels.length; first += RECOMPUTED_FROM, batches++) {
    const end = Math.min(first + RECOMPUTED_FROM, labels.length);
    // From zeros, one step of the running averages leaves momentum times the batch's own.
    net.setState({ buffers: new Float32Array(count) });
    net.gradient(images.subarray(first * SIDE_SQUARED, end * SIDE_SQUARED), labels.subarray(first, end));
    net.getState().buffers.forEach((value, i) => { sums[i] += value / momentum; });
  }
  return Float32Array.from(sums, (sum) => sum / batches);
}

/** Accuracy on a part of the images with statistics computed anew, which stay in the net. */
export function accuracyAnew(net, train, { images, labels }, momentum = USUAL_MOMENTUM) {
  net.setState({ buffers: recomputedBuffers(net, train, momentum) });
  return net.evaluate(images, labels).accuracy;
}
