// When a widget does what nobody has asked it for.

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
