// What every widget of the book is: controls, one state, a link to it, a note and a summary.
//
// A widget extends Widget, or ComputingWidget if an engine computes what it shows, and has
//   prepare()      fields of its own, before anything is drawn
//   makeParts()    this.controls, by the names of the state; other parts
//   layOut()       {kind, title, controls, body}: the words and the elements
//   key(state)     text that names what is shown; draw() is needed if it changed
//   parse(query), write()    the state in the address, see link.js
//   show()         sets the controls; draw() draws what is known

import { html, perFrame, throttle, uniqueId } from "./elements.js";
import { addressLink } from "./link.js";
import { badge, checkbox, choice, fullScreen, guessBox, liveText, slider, toggles } from "./parts.js";

/** The module's default export, for a class. */
export const widgetOf = (Kind) => ({
  render({ model, el }) {
    const widget = new Kind(model, el);
    return () => widget.destroy();
  },
});

export class Widget {
  constructor(model, el) {
    this.model = model;
    this.options = model.get("options");
    this.state = { ...model.get("state") };
    this.redraw = perFrame(() => this.draw());
    this.saveModel = throttle(() => {
      model.set("state", this.state);
      model.save_changes();
    }, 200);
    this.owned = [];  // parts that listen beyond their own elements
    this.note = this.own(liveText({ kind: "bnlab-note" }));
    this.summary = this.own(liveText({ kind: "bnlab-summary" }));
    this.verdict = this.own(liveText({ kind: "bnlab-verdict" }));
    this.badge = badge();
    this.link = this.own(addressLink({
      site: model.bnlabHost === "static", name: this.options.name ?? this.options.replay,
      parse: (query) => this.parse(query), write: () => this.write(),
      onState: (part, problems) => this.fromLink(part, problems),
    }));
    this.prepare();
    this.makeParts();
    this.frame(this.layOut());
    el.append(this.root);
    this.fromModel = () => this.change(model.get("state"));
    model.on("change:state", this.fromModel);
    this.show();
    this.draw();
    this.link.begin();
  }

  prepare() {}

  /** Keep a part, to destroy it with the widget. */
  own(part) {
    this.owned.push(part);
    return part;
  }

  // ---- controls --------------------------------------------------------------------------------

  one(name, label, items) {
    const onChange = (value) => this.set({ [name]: value });
    return choice({ label, items, value: this.state[name], onChange });
  }

  several(name, label, items, limits = {}) {
    const onChange = (value) => this.set({ [name]: value });
    const onRefuse = (why) => this.note.now(`Not changed: ${why}.`);
    return toggles({ label, items, ...limits, chosen: this.state[name], onChange, onRefuse });
  }

  range(name, label, values, show = String) {
    const onInput = (value) => this.set({ [name]: value });
    return slider({ label, values, value: this.state[name], show, onInput });
  }

  frame({ kind, title, controls, body }) {
    const id = uniqueId("title");
    this.root = html("section", { class: `bnlab bnlab-${kind}`, "aria-labelledby": id });
    this.screen = this.own(fullScreen(this.root));
    this.root.append(
      html("div", { class: "bnlab-head" }, html("div", { class: "bnlab-title", id }, title),
        this.link.element, this.screen.element, this.badge.element),
      html("div", { class: "bnlab-controls" }, ...controls),
      this.note.element, ...body);
  }

  // ---- changes ---------------------------------------------------------------------------------

  /** A control was moved by the reader. */
  set(part) {
    this.change(part);
    this.saveModel();
    this.link.save();
  }

  fromLink(part, problems) {
    if (part) {
      this.change(part);
      this.arrived();
    }
    if (problems.length) this.note.now(`The link was read in part: ${problems.join("; ")}.`);
    const scroll = () => this.root.scrollIntoView({ block: "start" });
    requestAnimationFrame(scroll);
    if (document.readyState !== "complete") addEventListener("load", scroll, { once: true });
  }

  /** The state came from a link. */
  arrived() {}

  /** The controls as the state says. */
  show() {
    for (const [name, control] of Object.entries(this.controls)) control.set(this.state[name]);
  }

  destroy() {
    this.model.off("change:state", this.fromModel);
    for (const waiting of [this.redraw, this.saveModel]) waiting.cancel();
    for (const part of this.owned) part.destroy();
    this.root.remove();
  }
}

/**
 * A widget whose engine computes what the state asks for. It has also
 *   makeEngine()      see engines.js and page_engine.js
 *   start()           calls compute() after it has made this.result, which is what is drawn
 *   question()        {text, items, open}: what "Predict first" asks, `open` being without the text
 *   repeats           whether a change of a control computes again
 */
export class ComputingWidget extends Widget {
  prepare() {
    this.engine = this.makeEngine();
    this.result = null;
    this.running = null;    // what the engine gave: {stop, cancel}
    this.revealed = false;  // something was computed since the last guess was asked for
    this.guess = null;
    this.restart = perFrame(() => this.start());
    this.guessBox = guessBox({ hint: "In a lecture: let the room vote, pick its answer, press Reveal." });
  }

  predictBox() {
    const onChange = (predict) => this.set({ predict });
    return checkbox({ label: "Predict first", value: this.state.predict, onChange });
  }

  get asking() { return this.state.predict && !this.revealed; }
  get repeats() { return this.revealed; }

  /** The newest setting wins: what runs is dropped now, and a start follows in the next frame. */
  change(part) {
    const before = this.state;
    this.state = { ...before, ...part };
    const other = this.key(this.state) !== this.key(before);
    if (!other && this.state.predict === before.predict) return;
    this.drop();
    this.note.now("");
    if (this.state.predict || before.predict) this.forget();
    if (this.repeats) this.restart();
    this.show();
  }

  /**
   * Let the engine compute. `points(name, content)` hears what is new, and a frame later it is
   * drawn; `end(phase)` hears "finished", "stopped" or "failed".
   */
  compute({ points, end }, paused = false) {
    let silent = false, over = false;
    const ended = (phase) => {
      over = true;
      this.running = null;
      end(phase);
    };
    const running = this.engine.start(this.state, {
      points: (name, content) => {
        if (silent) this.note.now("");
        silent = false;
        points(name, content);
        this.redraw();
      },
      waiting: (text) => { silent = true; this.note.now(text); },
      note: (text) => this.note.now(text),
      restate: (state) => this.set(state),  // nothing else can be shown
      finished: ({ stopped }) => ended(stopped ? "stopped" : "finished"),
      error: (text) => { ended("failed"); this.note.now(text); },
    }, paused);
    this.running = over ? null : running;
  }

  drop() {
    this.restart.cancel();
    this.running?.cancel();
    this.running = null;
  }

  /** Nothing is shown: a guess comes first. */
  forget() {
    this.restart.cancel();
    this.result = this.guess = null;
    this.revealed = false;
    this.verdict.now("");
    this.draw();
  }

  show() {
    super.show();
    this.badge.set(this.engine.badge);
    if (this.asking) this.ask();
    else this.guessBox.close();
  }

  ask() {
    const { text, items } = this.question();
    this.guessBox.ask(text, items, this.guess, (guess) => {
      this.guess = guess;
      this.note.now("");
      this.show();
    });
  }

  destroy() {
    this.running?.stop();
    this.drop();
    this.engine.destroy?.();
    super.destroy();
  }
}

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
