// The heap of a compiled net: words that hold numbers of the precision, whole numbers, doubles and
// code, as in bnlab/engines/compiled/machine.py. No imports.

const PAGE = 65536;

export class Words {
  /** A module with so many words and, behind them, these codes. */
  fill(module, Real, heap, codes) {
    this.exports = new WebAssembly.Instance(module, {}).exports;
    this.step = Real.BYTES_PER_ELEMENT / 4;
    this.codes = codes.map((code) => {
      const place = heap;
      heap += code.length;
      return { place, length: code.length };
    });
    const { memory } = this.exports, start = this.exports.heap();
    const missing = start + heap * Real.BYTES_PER_ELEMENT - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    this.reals = new Real(memory.buffer, start, heap);
    this.ints = new Int32Array(memory.buffer, start, heap * this.step);
    this.bytes = new DataView(memory.buffer, start, heap * Real.BYTES_PER_ELEMENT);
    codes.forEach((code, i) => this.ints.set(code, this.codes[i].place * this.step));
  }

  writeWhole(place, values) {
    for (let i = 0; i < values.length; i++) this.ints[(place + i) * this.step] = values[i];
  }

  offset(name) {
    if (!(name in this.places)) throw new Error(`"${name}" is no input of a compiled net.`);
    return this.places[name] * this.step * 4;
  }

  set(inputs) {
    for (const [name, value] of Object.entries(inputs)) {
      this.bytes.setFloat64(this.offset(name), value, true);
    }
  }

  read(name) {
    return this.reals.slice(this.places[name], this.places[name] + this.sizes[name]);
  }
}
