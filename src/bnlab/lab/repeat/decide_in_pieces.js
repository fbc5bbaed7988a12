// A verdict on the page's main thread, in pieces: between them the page can answer. No drawing here.

import { decidePieces } from "./judge.js";

const IN_TURN = 8;  // ms

/** Lets what waits have its turn; a timer would wait longer, above all in a tab that is hidden. */
function haveTurn() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => { port1.close(); resolve(); };
    port2.postMessage(null);
  });
}

/** Promise of what decidePieces() of judge.js returns; null as soon as `isWanted()` gives false. */
export async function decideInPieces(claim, values, isWanted) {
  const pieces = decidePieces(claim, values);
  for (;;) {
    const until = performance.now() + IN_TURN;
    while (performance.now() < until) {
      const { done, value } = pieces.next();
      if (done) return value;
    }
    await haveTurn();
    if (!isWanted()) return null;
  }
}
