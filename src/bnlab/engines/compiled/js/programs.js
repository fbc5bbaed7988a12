/* Programs of compiled nets as they lie in files, see bnlab/engines/compiled/artefact.py. */

/** Numbers of any sign from groups of 7 bits. */
function* unpacked(bytes) {
  let word = 0, scale = 1;
  for (const byte of bytes) {
    word += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      yield word % 2 === 0 ? word / 2 : -(word + 1) / 2;
      word = 0;
      scale = 1;
    }
  }
}

/** A program from the differences of its calls. */
export function restored(bytes, places) {
  const last = new Map(), out = [], numbers = unpacked(bytes);
  let kernel = 0;
  for (let next = numbers.next(); !next.done; next = numbers.next()) {
    kernel += next.value;
    const args = last.get(kernel) ?? new Array(places[kernel]).fill(0);
    for (let i = 0; i < args.length; i++) args[i] += numbers.next().value;
    last.set(kernel, args);
    out.push(kernel, ...args);
  }
  return out;
}
