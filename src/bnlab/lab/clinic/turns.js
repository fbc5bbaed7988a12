// Cards that train by themselves do so a few at a time: a page has eight of them.

const AT_ONCE = 2;
// Each widget of a page brings a copy of this module with it: who waits is known globally.
const turns = (globalThis.bnlabTurns ??= { busy: 0, waiting: [] });

function next() {
  if (turns.busy >= AT_ONCE || !turns.waiting.length) return;
  turns.busy++;
  let over = false;
  turns.waiting.shift()(() => {
    if (over) return;
    over = true;
    turns.busy--;
    next();
  });
}

/** Calls `begin(done)` when it is its turn, which ends when it calls `done`. */
export function inTurn(begin) {
  turns.waiting.push(begin);
  next();
}
