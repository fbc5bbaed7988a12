// __NET__: one gradient step in JavaScript, to look at. Written by python -m bnlab.engines.compiled debug.
//
//   node __FILE__                      loss, accuracy and gradient norm of the first batch
//   TRACE=1 node __FILE__              before that, what each call of a kernel writes
//   node --inspect-brk __FILE__        in a debugger: a breakpoint in any kernel, or in run()
//
// A browser runs it too: <script type="module" src="__FILE__">, with the result in the console.
//
// Places are words, as in the compiled program, but each kind of number has an array of its own: H
// real numbers, I whole ones, D doubles. H and D begin as NaN: what is read before it is written
// shows. Real numbers are __PRECISION__; they are rounded when they are stored, not before.

const TRACE = Boolean(globalThis.process?.env.TRACE);
const WORDS = __HEAP__;

let written = new Map(); // while tracing: place -> number, of one call

function watched(array) {
  if (!TRACE) return array;
  const set = (target, place, value) => {
    target[place] = value;
    written.set(Number(place), target[place]);
    return true;
  };
  return new Proxy(array, { set });
}

export const H = watched(new __REALS__(WORDS).fill(NaN));
export const I = watched(new Int32Array(WORDS));
export const D = watched(new Float64Array(WORDS).fill(NaN));

// ------------------------------------------------------------------------------------- runtime

// NaN comes through all of them, as in runtime.c.
const max = (a, b) => (a > b || a !== a ? a : b);
const min = (a, b) => (a < b || a !== a ? a : b);
const relu = (a) => (a <= 0 ? 0 : a);
const choose = (one, a, b) => (one ? a : b);
const sign = (a) => Number(a > 0) - Number(a < 0);

// C[M, N] = A[M, K] B[K, N], plus a bias for each column.
function multiply(ao, a0, a1, bo, b0, b1, co, M, N, K, bias, hasBias) {
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < N; j++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += H[ao + i * a0 + k * a1] * H[bo + k * b0 + j * b1];
      H[co + i * N + j] = sum + (hasBias ? H[bias + j] : 0);
    }
  }
}

// x (B, C, rows, columns) with zeros around, and what lies s apart together.
function padded(xo, xb, xc, out, B, C, rows, columns, padding, s, height, width) {
  for (let b = 0; b < B; b++)
    for (let c = 0; c < C; c++)
      for (let part = 0; part < s * s; part++)
        for (let i = 0; i < height; i++)
          for (let j = 0; j < width; j++) {
            const y = i * s + Math.trunc(part / s) - padding, x = j * s + part % s - padding;
            const inside = y >= 0 && y < rows && x >= 0 && x < columns;
            H[out++] = inside ? H[xo + b * xb + c * xc + y * columns + x] : 0;
          }
}

// Calls visit(n, t) for each number n of a result of a convolution, in an image, and each number t
// of a kernel, with the distance of the pixel that they meet at.
function eachPair(height, width, rows, columns, k, s, visit) {
  for (let n = 0; n < rows * columns; n++)
    for (let t = 0; t < k * k; t++) {
      const i = Math.trunc(t / k), j = t % k, part = (i % s) * s + (j % s);
      const y = Math.trunc(n / columns) + Math.trunc(i / s), x = (n % columns) + Math.trunc(j / s);
      visit(n, t, (part * height + y) * width + x);
    }
}

// Padded images times kernels, w0, w1, w2 from a kernel, a channel, a number to the next; a bias.
function convolve(wo, w0, w1, w2, xo, out, B, O, C, height, width, ...rest) {
  const [rows, columns, k, s, bias, hasBias] = rest;
  const size = rows * columns, apart = s * s * height * width;
  for (let o = 0; o < O; o++)
    for (let b = 0; b < B; b++) {
      const sums = new Array(size).fill(0);
      for (let c = 0; c < C; c++)
        eachPair(height, width, rows, columns, k, s, (n, t, pixel) => {
          sums[n] += H[wo + o * w0 + c * w1 + t * w2] * H[xo + (b * C + c) * apart + pixel];
        });
      const add = hasBias ? H[bias + o] : 0, to = out + (o * B + b) * size;
      sums.forEach((sum, n) => (H[to + n] = sum + add));
    }
}

// The gradient of the kernels, from that of the result at g.
function convolve_weights(g, xo, out, B, O, C, height, width, rows, columns, k, s) {
  const size = rows * columns, apart = s * s * height * width;
  for (let o = 0; o < O; o++)
    for (let c = 0; c < C; c++) {
      const sums = new Array(k * k).fill(0);
      for (let b = 0; b < B; b++)
        eachPair(height, width, rows, columns, k, s, (n, t, pixel) => {
          sums[t] += H[g + (o * B + b) * size + n] * H[xo + (b * C + c) * apart + pixel];
        });
      sums.forEach((sum, t) => (H[out + (o * C + c) * k * k + t] = sum));
    }
}

// Patches as columns (C k k, B rows columns), each added to its place in x (C, B, height, width).
function patches_adjoint(from, out, B, C, height, width, rows, columns, k, stride, padding) {
  for (let n = 0; n < C * B * height * width; n++) H[out + n] = 0;
  for (let c = 0; c < C; c++)
    for (let i = 0; i < k; i++)
      for (let j = 0; j < k; j++)
        for (let b = 0; b < B; b++)
          for (let y = 0; y < rows; y++)
            for (let x = 0; x < columns; x++, from++) {
              const row = y * stride + i - padding, across = x * stride + j - padding;
              const inside = row >= 0 && row < height && across >= 0 && across < width;
              if (inside) H[out + ((c * B + b) * height + row) * width + across] += H[from];
            }
}

// ------------------------------------------------------------------------------------- kernels

__KERNELS__

// ------------------------------------------------------------------------------------ programs

// Calls in order: the kernel, its places, and the module and operation that it was written for.

__PROGRAMS__

// Where tensors lie: name, first place, number of elements. Other places hold what comes between.
const TENSORS = __TABLE__;

function named(place) {
  const [name, start] = TENSORS.find(([, s, n]) => s <= place && place < s + n) ?? ["", 0];
  if (!name) return `#${place}`;
  return place === start ? name : `${name} + ${place - start}`;
}

function report(number, kernel, places, what) {
  const values = [...written.values()], numbers = values.filter((v) => !Number.isNaN(v));
  const low = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const high = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  const where = [...written.keys()].reduce((a, b) => Math.min(a, b), Infinity);
  console.log(`${number} ${kernel.name}(${places.map(named).join(", ")})  ${what}`);
  console.log(
    `    wrote ${values.length} from ${named(where)} on: min ${low}, max ${high}, ` +
      `NaN ${values.length - numbers.length}`,
  );
}

/** Runs a program. B is the number of images; for the norm, that of the gradient's elements. */
export function run(program, B) {
  program.forEach(([kernel, places, what], number) => {
    written = new Map();
    kernel(B, ...places);
    if (TRACE) report(number, kernel, places, what);
  });
}

// --------------------------------------------------------------------------- state and batch

export const PLACES = __POSITIONS__;
export const BATCH = __COUNT__;

const STATE = __VALUES__;

for (const [array, place, values] of STATE) values.forEach((value, i) => (array[place + i] = value));

// ------------------------------------------------------------------------------------ one step

run(gradient, BATCH);
run(norm, __PARAMETERS__);

console.log(`loss ${H[PLACES.loss]}, accuracy ${H[PLACES.accuracy]}, gradient norm ${H[PLACES.norm]}`);
