// The job "small_batches": nets on small or alike batches, with three accuracies of each; what
// bnlab.lab.small_batches computes with a kernel. Its points are
//   [norm, {loss, train, batch, accuracy, recomputed, step, diverged_at, done}]

import { sampler } from "../../engines/compiled/js/random.js";
import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { trainAll } from "../kit/js/page_side_by_side.js";

const INDEPENDENT = 10;   // classes of a batch that stand for independent images
const SMALL_DEPTH = 6;
const LOOKED_AT = 75;     // batches of validation images, at most
const CHUNK = 299, CHUNKS = 4;  // training images that recompute the statistics
const MOMENTUM = { batch: 0.1, batch_renorm: 0.01 }, EPS = 1e-5;
const IMAGE = 64;         // pixels

/** Images and labels with these numbers. */
function taken({ images, labels }, numbers) {
  const x = new Float32Array(numbers.length * IMAGE);
  numbers.forEach((n, i) => x.set(images.subarray(n * IMAGE, (n + 1) * IMAGE), i * IMAGE));
  return [x, Int32Array.from(numbers, (n) => labels[n])];
}

/** Validation images in batches that are put together like those of training, and all of them. */
function likeTraining(val, { sampler: { name, k }, seed, batch_size: size }) {
  const count = Math.min(LOOKED_AT, Math.floor(val.labels.length / size));
  const numbers = sampler(name, val.labels, seed, size, k)(0, count);
  const looks = Array.from({ length: count }, (_, i) => taken(val, numbers.subarray(i * size, (i + 1) * size)));
  return { looks, seen: taken(val, numbers) };
}

class SmallLane extends Lane {
  clear() {
    super.clear();
    Object.assign(this, { train: [], batch: [] });
  }

  update(count) {
    const known = this.records.length, some = super.update(count);
    this.right = [...(this.right ?? []), ...this.records.slice(known).map(([, accuracy]) => accuracy)];
    return some;
  }

  look() {
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    this.accuracy.push([this.taken, this.reached()]);
    if (this.right?.length) this.train.push([this.taken, mean(this.right)]);
    this.right = [];
    const found = this.shared.looks.map(([x, y]) => this.net.evaluate(x, y, true).accuracy);
    this.batch.push([this.taken, mean(found)]);
  }

  /** Accuracy with the net's statistics on the images that `batch` is about. */
  reached() { return this.net.evaluate(...this.shared.seen).accuracy; }

  finish() {
    super.finish();
    if (this.divergedAt === null) this.recomputed = this.withNewStatistics();
  }

  /** Accuracy on the same images with statistics of large batches; the weights stay. */
  withNewStatistics() {
    const { net, shared: { train } } = this, momentum = MOMENTUM[this.variant];
    if (!momentum) return this.reached();
    const isRenorm = this.variant === "batch_renorm";
    if (isRenorm) net.set({ r_max: 1, d_max: 0 });
    const count = net.sizes.buffers, sums = new Float64Array(count);
    for (let c = 0; c < CHUNKS; c++) {
      // From zeros, one step of the running averages leaves momentum times the batch's own.
      net.setState({ buffers: new Float32Array(count) });
      const first = c * CHUNK, end = first + CHUNK;
      net.gradient(train.images.subarray(first * IMAGE, end * IMAGE), train.labels.subarray(first, end));
      net.getState().buffers.forEach((value, i) => {
        const deviation = () => (Math.sqrt(value + EPS) - (1 - momentum) * Math.sqrt(EPS)) / momentum;
        sums[i] += isRenorm && isVariance(i) ? deviation() : value / momentum;
      });
    }
    const buffers = Float32Array.from(sums, (sum, i) => {
      const average = sum / CHUNKS;
      return isRenorm && isVariance(i) ? Math.max(0, average * average - EPS) : average;
    });
    net.setState({ buffers });
    return this.reached();
  }

  take() {
    const { train, batch, recomputed = null } = this, [norm, some] = super.take();
    const { loss, accuracy, step, diverged_at, done } = some;
    return [norm, { loss, train, batch, accuracy, recomputed, step, diverged_at, done }];
  }
}

/** The buffers of a layer are its means, then its variances. */
const isVariance = (i) => Math.floor(i / IMAGE) % 2 === 1;  // 64 units, as an image has pixels

JOBS.small_batches = async function smallBatches(shared, mine, tell) {
  const { state: { norms, classes, r_max, d_max, ...numbers }, steps } = mine;
  const drawn = classes === INDEPENDENT ? { name: "iid" } : { name: "k_classes", k: classes };
  const state = { ...numbers, depth: SMALL_DEPTH, inputs: { r_max, d_max }, sampler: drawn };
  const own = Object.assign(Object.create(shared), likeTraining(shared.val, state));
  shared.keep(norms.map((norm) => shared.keyOf(norm, SMALL_DEPTH)));
  const lanes = [];
  for (const norm of norms) {
    lanes.push(new SmallLane(own, norm, state, steps));
    if (!(await tell(lanes.slice(-1).map((lane) => lane.take())))) return;
  }
  await trainAll(lanes, tell);
};
