// Rows of T4 about gradients, in float64: before and after a training, how far the accumulated gradient
// of the first batch is from that of ghost batches and that of the whole; the latter with layer norm, too.

import { sumOfSquares } from "../../engines/compiled/js/norms.js";
import { imagesOf } from "../clinic/page_digits.js";
import { accumulate } from "../clinic/page_t4.js";
import { ROWS, RowLane, netOfRow } from "./page_rows.js";

const MICRO_BATCH = 4;

/** ||one - other|| / ||other||, four digits. */
function relativeDistance(one, other) {
  const difference = one.map((value, i) => value - other[i]);
  return Number(Math.sqrt(sumOfSquares(difference) / sumOfSquares(other)).toPrecision(4));
}

/** Two nets are trained, one after the other: with BatchNorm and with layer normalization. */
class GradientsRow {
  constructor(shared, state) {
    const lanes = ["batch", "layer"].map((variant) => new RowLane(shared, { ...state, variant }));
    const ghost = netOfRow(shared, { ...state, variant: "ghost_batch" });
    Object.assign(this, { shared, lanes, ghost, before: lanes.map((lane) => lane.vector()) });
  }

  get done() { return this.lanes.every(({ done }) => done); }

  advance() { this.lanes.find(({ done }) => !done).advance(); }

  vector() {
    const [batch, layer] = this.lanes.map((lane) => lane.vector());
    return Float64Array.of(...batch, ...layer);
  }

  numbers() {
    const after = this.distancesAt(this.lanes.map((lane) => lane.vector())), before = this.distancesAt(this.before);
    return { ghost_start: before.ghost, whole_start: before.whole, layer_start: before.layer, ...after };
  }

  /** With these weights of both nets. */
  distancesAt([ofBatch, ofLayer]) {
    const { shared: { train }, ghost, lanes: [{ net: batch, batches }, { net: layer }] } = this;
    const images = imagesOf(train, batches(0, 1));
    const weighed = (net, params) => { net.setState({ params }); return net; };
    const whole = (net, params) => weighed(net, params).gradient(...images).gradient;
    const summed = (net, params) => accumulate(weighed(net, params), ...images, MICRO_BATCH).gradient;
    const accumulated = summed(batch, ofBatch);
    return {
      ghost: relativeDistance(accumulated, whole(ghost, ofBatch)),
      whole: relativeDistance(accumulated, whole(batch, ofBatch)),
      layer: relativeDistance(summed(layer, ofLayer), whole(layer, ofLayer)),
    };
  }
}

ROWS.gradients = (shared, state) => new GradientsRow(shared, state);
