// The stored trainings of the supernets, played. The interface is that of the kit's engines.

import { loadScript } from "../kit/js/engines.js";

const PLAY_ALL = 1200;  // ms for all steps

export function storedSupernets({ replay, trained, seeds }) {
  const read = () => {
    const data = globalThis.bnlabReplay?.[replay];
    if (data?.version !== 1) throw new Error(`The stored runs '${replay}' are not in a format known here.`);
    return data;
  };
  const scalesOf = (data, state) => {
    const { axes } = data;
    const at = axes.trained.indexOf(state.trained) * axes.seed.length + axes.seed.indexOf(state.seed);
    const found = data.scales[at];
    if (!found || !trained.includes(state.trained) || !seeds.includes(state.seed)) {
      throw new Error(`No stored supernet has seed ${state.seed} and trained ${state.trained}.`);
    }
    return found;
  };

  function start(state, sink) {
    let handle = 0, over = false;
    const end = () => { over = true; cancelAnimationFrame(handle); };
    const fail = (error) => { if (!over) { end(); sink.error(error.message); } };
    function ready() {
      if (over) return;
      const { steps } = read(), scales = scalesOf(read(), state), begun = performance.now();
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      let told = 0;
      const frame = (now) => {
        if (over) return;
        const share = still ? 1 : Math.min(1, Math.max(0, now - begun) / PLAY_ALL);
        for (; told <= share * (steps.length - 1); told++) {
          sink.points("supernet", { step: steps[told], scales: scales[told] });
        }
        if (share < 1) { handle = requestAnimationFrame(frame); return; }
        end();
        sink.finished({ stopped: false });
      };
      frame(begun);
    }
    const stop = () => { if (!over) { end(); sink.finished({ stopped: true }); } };
    if (globalThis.bnlabReplay?.[replay]) queueMicrotask(() => { try { ready(); } catch (error) { fail(error); } });
    else loadScript(replay).then(ready).catch(fail);
    return { stop, cancel: end };
  }
  const warm = () => loadScript(replay).catch(() => {});  // who presses Train hears of it
  return { name: "replay", badge: "replay: stored trainings; ranks and search computed here", start, warm };
}
