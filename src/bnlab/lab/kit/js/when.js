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

/** Its top in view: in the next frame, and again when all of the page has its place. */
export function scrollToTop(element) {
  const scroll = () => element.scrollIntoView({ block: "start" });
  requestAnimationFrame(scroll);
  if (document.readyState !== "complete") addEventListener("load", scroll, { once: true });
}
