// Profiles: what flows through untrained nets, layer by layer, with different normalizers.

import { depthPanel } from "./depth_plot.js";
import { addressLink } from "./link.js";
import {
  badge, button, checkbox, choice, fullScreen, guessBox, html, liveText, perFrame, throttle, toggles,
  uniqueId,
} from "./parts.js";
import { chooseProfiler } from "./profiles_engine.js";
import {
  groupShown, growthGuesses, growthVerdict, hiddenText, layerWord, PANELS, panelText, parseProfiles,
  profilesKey, profilesText, writeProfiles,
} from "./profiles_state.js";
import { STYLE } from "./style.js";

class Profiles {
  constructor(model, el) {
    this.model = model;
    this.options = model.get("options");
    this.state = { ...model.get("state") };
    this.result = null;     // what is drawn: {state, curves}, curves being a Map from normalizers
    this.running = null;    // what the engine gave: {stop, cancel}
    this.revealed = false;  // the guess was made
    this.guess = null;
    this.redraw = perFrame(() => this.draw());
    this.restart = perFrame(() => this.start());
    this.saveModel = throttle(() => {
      model.set("state", this.state);
      model.save_changes();
    }, 200);
    this.makeParts();
    this.layOut(el);
    this.fromModel = () => this.change(model.get("state"));
    model.on("change:state", this.fromModel);
    this.show();
    this.draw();
    this.link.begin();
    if (!this.asking && !this.result) this.start();
  }

  makeParts() {
    const { options, state } = this;
    const one = (name, label, items) =>
      choice({ label, items, value: state[name], onChange: (value) => this.set({ [name]: value }) });
    this.controls = {
      net: one("net", "net", options.nets),
      norms: toggles({
        label: "normalizers", chosen: state.norms, atMost: options.norms.length,
        items: options.norms.map((name) => ({ value: name, text: STYLE[name].short, swatchOf: name })),
        onChange: (norms) => this.set({ norms }),
        onRefuse: (why) => this.note.now(`Not changed: ${why}.`),
      }),
      depth: one("depth", "depth (blocks, layers)", options.depths),
      width: one("width", "width (channels)", options.widths),
      group_size: one("group_size", "group size (channels)", options.group_sizes),
      predict: checkbox({
        label: "Predict first", value: state.predict, onChange: (predict) => this.set({ predict }),
      }),
    };
    this.go = button({ text: "Reveal", kind: "bnlab-main", onClick: () => this.reveal() });
    this.badge = badge();
    this.note = liveText({ kind: "bnlab-note" });
    this.summary = liveText({ kind: "bnlab-summary" });
    this.verdict = liveText({ kind: "bnlab-verdict" });
    this.guessBox = guessBox({ hint: "In a lecture: let the room vote, pick its answer, press Reveal." });
    this.panels = Object.fromEntries(
      Object.entries(PANELS).map(([quantity, look]) => [quantity, depthPanel(look)]));
    this.link = addressLink({
      site: this.model.bnlabHost === "static", name: options.replay,
      parse: (query) => parseProfiles(query, options), write: () => writeProfiles(this.state),
      onState: (part, problems) => this.fromLink(part, problems),
    });
  }

  layOut(el) {
    const id = uniqueId("title");
    const { net, norms, depth, width, group_size, predict } = this.controls;
    this.root = html("section", { class: "bnlab bnlab-profiles", "aria-labelledby": id });
    this.screen = fullScreen(this.root);
    this.root.append(
      html("div", { class: "bnlab-head" },
        html("div", { class: "bnlab-title", id }, "What flows through an untrained net?"),
        this.link.element, this.screen.element, this.badge.element),
      html("div", { class: "bnlab-controls" },
        net.element, norms.element, depth.element, width.element, group_size.element,
        html("div", { class: "bnlab-actions" }, predict.element, this.go.element)),
      this.note.element,
      html("div", { class: "bnlab-stage" },
        html("div", { class: "bnlab-plots" }, ...Object.values(this.panels).map((panel) => panel.element)),
        this.guessBox.element),
      this.verdict.element, this.summary.element);
    el.append(this.root);
  }

  // ---- changes ---------------------------------------------------------------------------------

  /** A control was moved by the reader. */
  set(part) {
    this.change(part);
    this.saveModel();
    this.link.save();
  }

  /** The newest setting wins: what is computed is dropped now, and a start follows in a frame. */
  change(part) {
    const before = this.state;
    this.state = { ...before, ...part };
    const other = profilesKey(this.state) !== profilesKey(before);
    if (!other && this.state.predict === before.predict) return;
    this.drop();
    this.note.now("");
    if (this.state.predict || before.predict) this.forget();
    if (!this.asking) this.restart();
    this.show();
  }

  fromLink(part, problems) {
    if (part) this.change(part);
    if (problems.length) this.note.now(`The link was read in part: ${problems.join("; ")}.`);
    const scroll = () => this.root.scrollIntoView({ block: "start" });
    requestAnimationFrame(scroll);
    if (document.readyState !== "complete") addEventListener("load", scroll, { once: true });
  }

  // ---- computing -------------------------------------------------------------------------------

  get asking() { return this.state.predict && !this.revealed; }

  reveal() {
    this.note.now("");
    this.revealed = true;
    this.start();
    this.show();
  }

  start() {
    this.drop();
    const result = this.result = { state: this.state, curves: new Map() };
    let silent = false, over = false;
    const end = (text) => {
      over = true;
      this.running = null;
      if (text) this.note.now(text);
      this.draw(true);
    };
    const running = chooseProfiler(this.model, this.options).start(this.state, {
      points: (norm, points) => {
        if (silent) this.note.now("");
        silent = false;
        result.curves.set(norm, points);
        this.redraw();
      },
      waiting: (text) => { silent = true; this.note.now(text); },
      finished: () => end(""),
      error: (text) => end(text),
    });
    if (!over) { this.running = running; this.draw(); }
  }

  drop() {
    this.restart.cancel();
    this.running?.cancel();
    this.running = null;
  }

  /** Nothing is shown: a guess comes first. */
  forget() {
    this.result = this.guess = null;
    this.revealed = false;
    this.verdict.now("");
    this.draw();
  }

  // ---- what is seen ----------------------------------------------------------------------------

  show() {
    for (const [name, control] of Object.entries(this.controls)) control.set(this.state[name]);
    this.controls.group_size.element.hidden = !groupShown(this.state);
    this.badge.set(chooseProfiler(this.model, this.options).badge);
    this.go.element.hidden = !this.asking;
    this.go.enable(this.guess !== null);
    if (this.asking) this.ask();
    else this.guessBox.close();
  }

  ask() {
    const question = `From the first ${layerWord(this.state)} to the last: where does the variance grow most?`;
    this.guessBox.ask(question, growthGuesses(this.state), this.guess, (guess) => {
      this.guess = guess;
      this.note.now("");
      this.show();
    });
  }

  draw(finished = false) {
    this.redraw.cancel();
    const { result, panels } = this, seen = result !== null && result.curves.size > 0;
    for (const [quantity, panel] of Object.entries(panels)) {
      const names = seen ? result.state.norms.filter((norm) => result.curves.has(norm)) : [];
      const curves = names.map((name) => ({ name, rows: result.curves.get(name)[quantity] }));
      const state = seen ? result.state : this.state;
      panel.draw(curves, {
        layers: state.depth, word: layerWord(state), key: seen ? profilesKey(state) : "",
        alt: seen ? panelText(result, quantity) : hiddenText(quantity),
      });
    }
    if (!seen) this.summary.now(this.emptyText());
    else if (this.running) this.summary.soon(profilesText(result));
    else this.summary.now(profilesText(result));
    if (finished && seen && this.state.predict) this.verdict.now(growthVerdict(result, this.guess));
  }

  emptyText() {
    if (this.asking) return "The curves are hidden until a guess is made.";
    return this.running ? "The nets are measured." : "Nothing was measured.";
  }

  destroy() {
    if (this.running) this.running.stop();
    this.drop();
    this.model.off("change:state", this.fromModel);
    for (const waiting of [this.redraw, this.restart, this.saveModel]) waiting.cancel();
    for (const part of [this.summary, this.note, this.verdict, this.screen, this.link]) part.destroy();
    for (const panel of Object.values(this.panels)) panel.destroy();
    this.root.remove();
  }
}

function render({ model, el }) {
  const profiles = new Profiles(model, el);
  return () => profiles.destroy();
}

export default { render };
