// Images by their numbers, and batches of some digits alone, for the jobs of several cards.

import { sampler } from "../../engines/compiled/js/random.js";

const SIDE_SQUARED_OF_IMAGE = 64;  // pixels of an image

/** Images and labels with these numbers, as a net takes them. */
export function imagesOf({ images, labels }, numbers) {
  const x = new Float32Array(numbers.length * SIDE_SQUARED_OF_IMAGE);
  numbers.forEach((n, i) => x.set(images.subarray(n * SIDE_SQUARED_OF_IMAGE, (n + 1) * SIDE_SQUARED_OF_IMAGE), i * SIDE_SQUARED_OF_IMAGE));
  return [x, Int32Array.from(numbers, (n) => labels[n])];
}

/** Numbers of images of the digits that are wanted, as ``batches_of`` of chapters/clinic/setting.py draws them. */
export function batchesOfDigits({ labels }, isWanted, seed, size) {
  const members = [...labels.keys()].filter((i) => isWanted(labels[i]));
  const draw = sampler("iid", members.map((i) => labels[i]), seed, size);
  return (first, count) => draw(first, count).map((i) => members[i]);
}
