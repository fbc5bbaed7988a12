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
const sign = (a) => Number(a > 0) - Number(a < 0);

// C[M, N] = A[M, K] B[K, N] + bias; kind: 0 no bias, 1 one number a column, 2 one a row.
function multiply(ao, a0, a1, bo, b0, b1, co, M, N, K, bias, kind) {
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < N; j++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += H[ao + i * a0 + k * a1] * H[bo + k * b0 + j * b1];
      if (kind) sum += H[bias + (kind === 1 ? j : i)];
      H[co + i * N + j] = sum;
    }
  }
}

// Calls visit(column, pixel) for each place of a patch that lies inside its image. Columns are
// (C k k, B rows columns); a pixel is its image b, its channel c and its place there.
function eachPatch(B, C, height, width, rows, columns, k, stride, padding, visit) {
  let column = 0;
  for (let c = 0; c < C; c++)
    for (let i = 0; i < k; i++)
      for (let j = 0; j < k; j++)
        for (let b = 0; b < B; b++)
          for (let y = 0; y < rows; y++)
            for (let x = 0; x < columns; x++, column++) {
              const row = y * stride + i - padding, across = x * stride + j - padding;
              const inside = row >= 0 && row < height && across >= 0 && across < width;
              visit(column, b, c, inside ? row * width + across : -1);
            }
}

// x (B, C, height, width) as columns; zeros beyond the border.
function patches(xo, xb, xc, out, B, C, height, width, ...rest) {
  eachPatch(B, C, height, width, ...rest, (column, b, c, pixel) => {
    H[out + column] = pixel < 0 ? 0 : H[xo + b * xb + c * xc + pixel];
  });
}

// The adjoint: columns summed into x (C, B, height, width).
function patches_adjoint(from, out, B, C, height, width, ...rest) {
  for (let n = 0; n < C * B * height * width; n++) H[out + n] = 0;
  eachPatch(B, C, height, width, ...rest, (column, b, c, pixel) => {
    if (pixel >= 0) H[out + (c * B + b) * height * width + pixel] += H[from + column];
  });
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
