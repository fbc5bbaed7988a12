// When a widget does something by itself, and when it is seen.

/** When the page has loaded and the browser has nothing else to do. */
export function whenIdle(action) {
  const ask = () => (globalThis.requestIdleCallback ?? ((call) => setTimeout(call, 300)))(action);
  if (document.readyState === "complete") ask();
  else addEventListener("load", ask, { once: true });
}

/** When a part of the element is seen for the first time; never for readers who want less motion. */
export function onceInView(element, action) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const watch = new IntersectionObserver((seen) => {
    if (still || !seen.some((one) => one.isIntersecting)) return;
    watch.disconnect();
    action();
  }, { threshold: 0.3 });
  watch.observe(element);
  return { destroy: () => watch.disconnect() };
}

/** When the reader has come within a screen of the element, for the first time. */
export function onceNear(element, action) {
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    watch.disconnect();
    action();
  }, { rootMargin: "100% 0%" });
  watch.observe(element);
  return { destroy: () => watch.disconnect() };
}

/** A widget comes into view, now and when the page is whole; where it is too tall, its stage does, wholly. */
export function landOn(root) {
  const land = () => {
    root.scrollIntoView({ block: "start", behavior: "instant" });
    root.querySelector(".bnlab-stage")?.scrollIntoView({ block: "nearest", behavior: "instant" });
  };
  requestAnimationFrame(land);
  if (document.readyState !== "complete") addEventListener("load", land, { once: true });
}
