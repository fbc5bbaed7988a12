// Family: which numbers of a block (N, C, H, W) share one mean, for every normalizer.

import { html } from "../kit/js/elements.js";
import { coloured } from "../kit/js/looks.js";
import { button } from "../kit/js/parts.js";
import { STYLE } from "../kit/js/style.js";
import { Widget, widgetOf } from "../kit/js/widget.js";
import { cellAt, fitted, indexOf, parseFamily, writeFamily } from "./family_state.js";
import { normalizeBlock } from "./formulas.js";
import { menu } from "./menu.js";
import { numberBlock } from "./numbers.js";
import { blockOf, hasGroups, hasStored, otherSamples, placeOf, usesStored } from "./pooling.js";
import { changeText, explain, headlineText, hintText } from "./sharing.js";

class Family extends Widget {
  prepare() {
    this.preview = null;  // index under the mouse
    this.before = null;   // the samples before the others were changed
  }

  makeParts() {
    const { options, state } = this;
    this.controls = {
      norm: menu({
        label: "normalizer", value: state.norm, onChange: (norm) => this.set({ norm }),
        groups: options.groups.map(({ label, norms }) =>
          ({ label, items: norms.map((norm) => ({ value: norm, text: STYLE[norm].label })) })),
      }),
      mode: this.one("mode", "mode", options.modes),
      batch_size: this.one("batch_size", "batch size N (images)", options.batch_sizes),
      group_size: this.one("group_size", "group size (channels)", options.group_sizes),
      ghost_size: this.one("ghost_size", "ghost batch (images)", options.ghost_sizes),
    };
    this.others = button({
      text: "Change the other images", kind: "bnlab-main", onClick: () => this.changeOthers(),
    });
    this.summary.element.classList.add("bnlab-sentence");
    this.question = html("span", { class: "bnlab-hint" });
    this.hint = html("p", { class: "bnlab-hint bnlab-family-hint" });
    const heard = {
      shape: options.shape,
      onChoose: (index) => this.choose(index),
      onPreview: (index) => { this.preview = index; this.redraw(); },
    };
    this.blocks = { before: numberBlock({ ...heard, keys: true }), after: numberBlock(heard) };
  }

  layOut() {
    return {
      kind: "family", title: "Who shares one mean?",
      controls: [
        ...Object.values(this.controls).map((control) => control.element),
        html("div", { class: "bnlab-actions" }, this.question, this.others.element),
      ],
      body: [
        html("div", { class: "bnlab-stage bnlab-blocks" },
          this.blocks.before.element, this.summary.element, this.blocks.after.element),
        this.hint],
    };
  }

  parse(query) { return parseFamily(query, this.state, this.options); }
  write() { return writeFamily(this.state); }

  // ---- changes ---------------------------------------------------------------------------------

  /** A control was moved by the reader. */
  set(part) {
    if (part.ghost_size > this.state.batch_size) {
      this.note.now(`Not changed: a ghost batch of ${part.ghost_size} is larger than the batch.`);
      this.show();
      return;
    }
    super.set(part);
  }

  change(part) {
    const before = this.state;
    this.state = fitted({ ...before, ...part });
    if (writeFamily(this.state) === writeFamily(before)) return;  // the model's echo
    this.note.now("");
    if (this.state.batch_size !== before.batch_size) this.before = this.preview = null;
    const { norm, ghost_size: ghost } = this.state;
    if (norm === "ghost_batch" && part.ghost_size === undefined && ghost !== before.ghost_size) {
      this.note.now(`A ghost batch is at most the batch: its size is now ${ghost}.`);
    }
    this.show();
    this.redraw();
  }

  clear() { this.before = this.preview = null; }
  get played() { return this.before !== null; }

  choose(index) {
    this.preview = null;
    this.set({ cell: cellAt(index, this.options.shape) });
  }

  changeOthers() {
    const { samples, cell } = this.state;
    this.preview = null;
    this.before = samples;
    this.set({ samples: otherSamples(samples, cell[0], this.options.pool.length) });
  }

  // ---- what is seen ----------------------------------------------------------------------------

  show() {
    const { state, controls } = this;
    super.show();
    controls.group_size.element.hidden = !hasGroups(state.norm);
    controls.ghost_size.element.hidden = state.norm !== "ghost_batch";
    this.others.enable(state.batch_size > 1);
    this.hint.textContent = hintText(this.options, state.norm);
    this.question.textContent = state.batch_size > 1
      ? "Guess first: does this change the chosen number’s output?"
      : "This batch is one image: there are no others to change.";
  }

  blockOf(samples) {
    const { options: { pool, shape }, state } = this;
    return blockOf(samples.slice(0, state.batch_size).map((sample) => pool[sample].values), shape[0]);
  }

  /** What a block's numbers are normalized with: the arguments of `explain` and `normalizeBlock`. */
  given(samples) {
    const { state, options: { stored, eps } } = this;
    return [state, this.blockOf(samples), stored[state.norm] ?? null, eps[state.norm]];
  }

  draw() {
    this.redraw.cancel();
    const { state, options } = this, { pool } = options;
    const given = this.given(state.samples), [, block, stored] = given;
    const chosen = indexOf(state.cell, options.shape), shown = this.preview ?? chosen;
    const { shared, text } = explain(...given, shown);
    coloured(this.root, state.norm);
    const seen = {
      samples: state.samples.slice(0, block.N).map((sample) => pool[sample]),
      lit: new Set(shared.members), framed: new Set(shared.inner), shown, chosen,
      kept: this.before && this.before[state.cell[0]] === state.samples[state.cell[0]] ? state.cell[0] : null,
    };
    // Lines of the tables: the channels' numbers, the block, and what is stored if it matters here.
    const helps = state.norm === "batch_renorm", matters = stored && (helps || usesStored(state));
    this.root.style.setProperty("--bnlab-lines", block.N * options.shape[1] + 1 + (matters ? Object.keys(stored).length + 1 : 0));
    const channel = placeOf(shown, block).c;
    const name = STYLE[state.norm].label, mode = hasStored(state.norm) ? `, ${state.mode} mode` : "";
    this.blocks.before.draw({
      ...seen, values: block.values, words: this.goesIn(block),
      stored: stored && { values: stored, channel, used: usesStored(state), helps },
    });
    this.blocks.after.draw({
      ...seen, values: normalizeBlock(...given), words: `what comes out of ${name}${mode}`, stored: null,
    });
    this.summary.now(text);
    this.headline.now(this.changeText(block, chosen) || headlineText(state, block, shared));
  }

  /** Rows, columns, and what a crossing of them holds. */
  goesIn({ N }) {
    const [C, H, W] = this.options.shape;
    return `in: ${N === 1 ? "1 image" : `${N} images (rows)`}, ${C} channels of ${H} × ${W} pixels`;
  }

  /** What changing the others did to the chosen number; "" if nothing was changed around it. */
  changeText(block, chosen) {
    const { state, before } = this, n = state.cell[0];
    if (!before || before[n] !== state.samples[n] || before === state.samples) return "";
    const [old, now] = [before, state.samples].map((samples) => explain(...this.given(samples), chosen));
    return changeText(state, block.N - 1, old, now);
  }
}

export default widgetOf(Family);
