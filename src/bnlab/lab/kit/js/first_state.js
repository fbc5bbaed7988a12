// An engine for a page that can compute nothing: it has the results of the widget's first state.

import { loadScript } from "./engines.js";

/** Whether what is asked for is stored: some of the nets, and all else the same. */
const isStored = (stored, state) => Object.entries(stored).every(([key, value]) =>
  (key === "norms" ? someOf(value, state.norms) : value === state[key]));
const someOf = (all, some) => some.every((one) => all.includes(one));

/** What has to change for it to be stored. */
function storedBeside({ norms, ...stored }, state) {
  return !norms || someOf(norms, state.norms) ? stored : { ...stored, norms };
}

/** As replayEngine; a sink that asks for anything else hears `restate(state)` and asks again. */
export function firstEngine({ name }) {
  function start(state, sink) {
    let over = false;
    const end = () => { over = true; };
    function play() {
      if (over) return;
      const stored = globalThis.bnlabReplay.first?.widgets?.[name];
      if (!stored) throw new Error("Nothing is stored of this widget.");
      end();
      if (!isStored(stored.state, state)) { sink.restate(storedBeside(stored.state, state)); return; }
      const asked = state.cells?.map((cell) => cell.join("|")) ?? state.norms;
      for (const [net, content] of stored.points) if (asked?.includes(net) ?? true) sink.points(net, content);
      sink.finished({ seconds: 0, stopped: false });
    }
    loadScript("first").then(play).catch((error) => {
      if (over) return;
      end();
      sink.error(error.message);
    });
    return { stop: end, cancel: end };
  }
  return {
    name: "replay", badge: "stored results of one setting", start,
    instead: "its first setting is shown, computed beforehand",
  };
}
