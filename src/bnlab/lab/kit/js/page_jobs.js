// What a worker can do: jobs by name. A job is `async (shared, mine, tell) => {}`:
//   shared   {store, rules, train, val, net(variant, depth), keep(keys), keyOf(variant, depth)}, see
//            prepare() of page_worker.js
//   mine     the message that asked: {id, state, steps, seen, slow, paused, singles, ...}
//   tell     async (points): posts a list of [name, content], lets messages come in, and gives
//            whether this is still wanted; if not, the job returns
// It throws an Error with a sentence for the reader.

export const JOBS = {};

const IN_TURN = 12;  // ms of work between two looks at the messages

/** Works for some milliseconds: `step` is called until it gives false or time is up. */
export function slice(step) {
  const until = performance.now() + IN_TURN;
  while (step() && performance.now() < until) { /* on */ }
}
