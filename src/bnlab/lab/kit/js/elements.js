// Elements of a page, and when to work on them.

// Each widget of a page brings a copy of this module with it: what must differ is counted globally.
export function uniqueId(stem) {
  globalThis.bnlabIds = (globalThis.bnlabIds ?? 0) + 1;
  return `bnlab-${stem}-${globalThis.bnlabIds}`;
}

function build(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children);
  // JupyterLab takes arrow keys, Enter and Space away from controls in outputs without this mark.
  if (/^(input|button)$/.test(node.localName)) node.dataset.lmSuppressShortcuts = "true";
  return node;
}

export function html(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Calls `action` at once, then at most every `wait` ms; the last call is never lost. */
export function throttle(action, wait) {
  let timer = null, again = null, last = -Infinity;
  const run = (args) => { last = performance.now(); action(...args); };
  const late = () => { timer = null; if (again) { const args = again; again = null; run(args); } };
  const throttled = (...args) => {
    const left = last + wait - performance.now();
    if (timer === null && left <= 0) return run(args);
    again = args;
    timer ??= setTimeout(late, left);
  };
  throttled.cancel = () => { clearTimeout(timer); timer = again = null; };
  return throttled;
}

/** At most one call of `action` per animation frame. */
export function perFrame(action) {
  let handle = 0;
  const ask = () => { handle ||= requestAnimationFrame(() => { handle = 0; action(); }); };
  ask.cancel = () => { cancelAnimationFrame(handle); handle = 0; };
  return ask;
}

/** Calls `action` a frame after a size has changed; drawing at once makes Firefox report a loop. */
export function sizeWatch(action) {
  const soon = perFrame(action), watch = new ResizeObserver(soon);
  return {
    observe: (element) => watch.observe(element),
    disconnect() { soon.cancel(); watch.disconnect(); },
  };
}
