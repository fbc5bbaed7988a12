// What every widget of the book is: controls, one state, a link to it, a note and a summary.
//
// A widget extends Widget, or ComputingWidget if an engine computes what it shows, and has
//   prepare()      fields of its own, before anything is drawn
//   makeParts()    this.controls, by the names of the state; other parts
//   layOut()       {kind, title, controls, body}: the words and the elements
//   key(state)     text that names what is shown; draw() is needed if it changed
//   parse(query), write()    the state in the address, see link.js
//   show()         sets the controls; draw() draws what is known, and says it in this.headline:
//                  one bold sentence above the stage, with the result in it, or ""
// In full screen (this.screen.large) the controls are folded away: see full_screen.js. Then the
// parts of the body with the class bnlab-stage share the height, and what the reader presses first
// (the actions with the class bnlab-main or bnlab-always) stands in the head.

import { html, perFrame, throttle, uniqueId } from "./elements.js";
import { actionsPlacer, fullScreen } from "./full_screen.js";
import { guessBox } from "./guess_box.js";
import { addressLink } from "./link.js";
import { badge, checkbox, choice, liveText, slider, toggles } from "./parts.js";
import { saveMenu, tableOf } from "./save_menu.js";
import { pressMain, sceneStrip } from "./scenes.js";
import { landOn } from "./when.js";

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
    this.headline = this.own(liveText({ kind: "bnlab-headline" }));
    this.summary = this.own(liveText({ kind: "bnlab-summary" }));
    this.verdict = this.own(liveText({ kind: "bnlab-verdict" }));
    this.badge = badge();
    this.link = this.own(addressLink({
      site: model.bnlabHost === "static", name: this.options.name ?? this.options.replay,
      parse: (query) => this.parse(query), write: () => this.write(),
      onState: (part, problems) => this.fromLink(part, problems),
      onScene: (number) => this.fromLink(null, this.strip.play(number - 1) ? [] : [`scene ${number} is not there`]),
      title: () => this.head.querySelector(".bnlab-title").textContent,
      near: (link) => (link.closest(".jp-Notebook") ?? document).contains(this.root),
    }));
    this.strip = this.own(sceneStrip(this));
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
    this.root = html("section", { class: `bnlab bnlab-${kind}${this.link.alone ? " bnlab-alone" : ""}`, tabindex: -1, "aria-labelledby": id });
    this.head = html("div", { class: "bnlab-head" }, html("div", { class: "bnlab-title", id }, title));
    this.controlPart = html("div", { class: "bnlab-controls" }, ...controls);
    this.root.append(this.head, this.strip.element, this.controlPart,
      html("div", { class: "bnlab-body" },
        html("div", { class: "bnlab-line" }, this.headline.element, this.note.element), ...body));
    this.screen = this.own(fullScreen(this.root, {
      alone: this.link.alone, onChange: actionsPlacer(this.head, this.controlPart),
    }));
    this.files = this.own(saveMenu({
      root: this.root, name: this.options.name ?? kind, table: () => this.table(), say: (text) => this.note.now(text),
      words: () => ({ head: this.headline.element.textContent, foot: `${title} ${this.write().replace(/&predict=\d/, "").replaceAll("&", " ")}` }),
    }));
    this.head.append(this.link.element, this.files.element, this.screen.element, this.badge.element);
  }

  /** What is shown, as rows of a table, the first of them its head. */
  table() { return tableOf(this.owned); }

  // ---- changes ---------------------------------------------------------------------------------

  /** A control was moved by the reader. */
  set(part) {
    this.change(part);
    this.saveModel();
    this.link.save();
  }

  fromLink(part, problems) {
    if (part) {
      this.stage(part);
      this.arrived();
    }
    if (problems.length) this.note.now(`The link was read in part: ${problems.join("; ")}.`);
    this.focus();
    if (!this.link.alone) landOn(this.root);
  }

  /** The state came from a link. */
  arrived() {}

  // ---- scenes ----------------------------------------------------------------------------------

  /** A scene begins: nothing of what was seen before is left, and nothing is trained until it is asked for. */
  stage(state) {
    this.clear();
    this.change(state);
    this.saveModel();
    this.show();
    this.focus();
  }

  clear() {}
  /** A keyboard goes on from here; but a frame takes no focus from the page around it. */
  focus() { if (document.hasFocus() || !this.link.alone) this.root.focus({ preventScroll: true }); }

  /** What Space does in full screen. */
  act() { pressMain(this.root); }

  /** What the scene shows has been seen. */
  get played() { return false; }

  showScene() { this.strip.show(this.state, Object.keys(this.controls), this.played); }

  /** The controls as the state says. */
  show() {
    for (const [name, control] of Object.entries(this.controls)) control.set(this.state[name]);
    this.showScene();
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
    this.guessBox = guessBox();
  }

  predictBox() {
    const onChange = (predict) => this.set({ predict });
    return checkbox({ label: "Predict first", value: this.state.predict, onChange });
  }

  get asking() { return this.state.predict && !this.revealed; }
  get played() { return this.result !== null && !this.running && !this.asking; }
  get repeats() { return this.revealed; }

  /** The newest setting wins: what runs is dropped now, and a start follows in the next frame. */
  change(part) {
    const before = this.state, { predict } = this.state = { ...before, ...part };
    const other = this.key(this.state) !== this.key({ ...before, predict });
    if (!other && predict === before.predict) return;
    if (!other && !predict && this.revealed) return this.show();  // what was seen stays
    this.drop();
    this.note.now("");
    if (predict || before.predict) this.forget();
    if (this.repeats) this.restart();
    this.show();
  }

  /**
   * Let the engine compute. `points(name, content)` hears what is new, and a frame later it is
   * drawn; `end(phase)` hears "finished", "stopped" or "failed". Another state than this.state,
   * and another job than usual, may be named.
   */
  compute({ points, end }, paused = false, { state = this.state, job } = {}) {
    let silent = false, over = false;
    const ended = (phase) => {
      over = true;
      this.running = null;
      end(phase);
      this.showScene();
    };
    const running = this.engine.start(state, {
      points: (name, content) => {
        if (silent) this.note.now("");
        silent = false;
        points(name, content);
        this.redraw();
      },
      waiting: (text) => { silent = true; this.note.now(text); },
      note: (text) => this.note.now(text),
      restate: (state) => { const why = this.note.element.textContent; this.set(state); this.note.now(why); },
      finished: ({ stopped }) => ended(stopped ? "stopped" : "finished"),
      error: (text) => { ended("failed"); this.note.now(text); },
    }, paused, job);
    this.running = over ? null : running;
  }

  drop() {
    this.restart.cancel();
    this.running?.cancel();
    this.running = null;
  }

  clear() {
    this.drop();
    this.forget();
    this.note.now("");
  }

  /** Nothing is shown: a guess comes first. */
  forget() {
    this.restart.cancel();
    this.result = this.guess = null;
    this.revealed = false;
    this.verdict.now("");
    this.headline.now("");
    this.guessBox.forget();
    this.draw();
  }

  /** Reveal was pressed without a guess. */
  refuse() { this.note.now("Guess first, then press Reveal."); }

  frame(parts) {
    super.frame(parts);
    this.verdict.element.after(this.guessBox.told);
  }

  show() {
    super.show();
    this.root.classList.toggle("bnlab-predicts", this.state.predict);
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
    }, () => `${this.link.name}?${this.write()}`);
  }

  destroy() {
    this.running?.stop();
    this.drop();
    this.engine.destroy?.();
    super.destroy();
  }
}
