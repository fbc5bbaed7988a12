// Profiles: what flows through untrained nets, layer by layer, with different normalizers.

import { depthPanel } from "../kit/js/depth_plot.js";
import { html } from "../kit/js/elements.js";
import { button } from "../kit/js/parts.js";
import { STYLE } from "../kit/js/style.js";
import { ComputingWidget, widgetOf } from "../kit/js/widget.js";
import { chooseProfiler } from "./profiles_engine.js";
import {
  axisWord, groupShown, growthGuesses, growthVerdict, hiddenText, layerWord, PANELS, panelText, parseProfiles,
  profilesHeadline, profilesKey, profilesText, readingText, widerFrom, writeProfiles,
} from "./profiles_state.js";

class Profiles extends ComputingWidget {
  constructor(model, el) {
    super(model, el);
    if (!this.asking && !this.result) this.start();
  }

  makeEngine() { return chooseProfiler(this.model, this.options); }

  /** Nothing needs to be pressed: a change of a control is enough. */
  get repeats() { return !this.asking; }

  makeParts() {
    const { options } = this;
    const items = options.norms.map((name) => ({ value: name, text: STYLE[name].short, swatchOf: name }));
    this.controls = {
      net: this.one("net", "net", options.nets),
      norms: this.several("norms", "normalizers", items, { atMost: items.length }),
      depth: this.one("depth", "depth (blocks, layers)", options.depths),
      width: this.one("width", "width (channels)", options.widths),
      group_size: this.one("group_size", "group size (channels)", options.group_sizes),
      predict: this.predictBox(),
    };
    this.go = button({
      text: "Reveal", kind: "bnlab-main", onClick: () => this.reveal(), onRefuse: () => this.refuse(),
    });
    this.reading = html("p", { class: "bnlab-caption bnlab-reading" });
    this.panels = Object.fromEntries(
      Object.entries(PANELS).map(([quantity, look]) => [quantity, this.own(depthPanel(look))]));
  }

  layOut() {
    const { predict, ...others } = this.controls;
    const panels = Object.values(this.panels).map((panel) => panel.element);
    return {
      kind: "profiles", title: "What flows through an untrained net?",
      controls: [
        ...Object.values(others).map(({ element }) => element),
        html("div", { class: "bnlab-actions" }, predict.element, this.go.element),
      ],
      body: [
        html("div", { class: "bnlab-stage" },
          html("div", { class: "bnlab-plots" }, ...panels), this.guessBox.element),
        this.reading, this.verdict.element, this.summary.element],
    };
  }

  // ---- the state ---------------------------------------------------------------------------------

  key(state) { return profilesKey(state); }
  parse(query) { return parseProfiles(query, this.options); }
  write() { return writeProfiles(this.state); }

  stage(state) {
    super.stage(state);
    if (this.repeats) this.restart();
  }

  // ---- computing -------------------------------------------------------------------------------

  reveal() {
    this.note.now("");
    this.revealed = true;
    this.start();
    this.show();
  }

  start() {
    this.drop();
    const result = this.result = { state: this.state, curves: new Map() };
    this.compute({
      points: (norm, points) => result.curves.set(norm, points),
      end: () => this.draw(true),
    });
    if (this.running) this.draw();
  }

  // ---- what is seen ----------------------------------------------------------------------------

  show() {
    super.show();
    this.controls.group_size.element.hidden = !groupShown(this.state);
    this.go.element.hidden = !this.asking;
    this.go.enable(this.guess !== null);
  }

  question() {
    const word = layerWord(this.state);
    return {
      text: `From the first ${word} to the last: where does the variance grow most?`,
      items: growthGuesses(this.state),
    };
  }

  draw(finished = false) {
    this.redraw.cancel();
    const { result, panels } = this, seen = result !== null && result.curves.size > 0;
    for (const [quantity, panel] of Object.entries(panels)) {
      const names = seen ? result.state.norms.filter((norm) => result.curves.has(norm)) : [];
      const curves = names.map((name) => ({ name, rows: result.curves.get(name)[quantity] }));
      const state = seen ? result.state : this.state;
      panel.draw(curves, {
        layers: state.depth, event: widerFrom(state), word: axisWord(state, quantity), key: seen ? profilesKey(state) : "",
        alt: seen ? panelText(result, quantity) : hiddenText(quantity),
      });
    }
    this.reading.textContent = seen ? readingText(result) : "";
    if (!seen) this.summary.now(this.emptyText());
    else if (this.running) this.summary.soon(profilesText(result));
    else this.summary.now(profilesText(result));
    this.headline.now(seen && !this.running ? profilesHeadline(result) : "");
    if (finished && seen && this.state.predict) this.verdict.now(growthVerdict(result, this.guess));
  }

  emptyText() {
    if (this.asking) return "The curves are hidden until a guess is made.";
    return this.running ? "The nets are measured." : "Nothing was measured.";
  }
}

export default widgetOf(Profiles);
