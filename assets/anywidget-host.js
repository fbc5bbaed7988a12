// Renders every anywidget of a page from the state that MyST-NB embeds in it: no kernel, no
// html-manager, no request. A widget sees the usual model interface (get, set, save_changes, on,
// off, send) plus `bnlabHost === "static"`, by which it knows that no Python listens.
(() => {
  "use strict";
  const STATE = "application/vnd.jupyter.widget-state+json";
  const VIEW = "application/vnd.jupyter.widget-view+json";
  const REFERENCE = "IPY_MODEL_";

  // PAGE.html?embed=NAME shows the widget of this name alone: site.css hides the rest of the page, the
  // widget, .bnlab-alone, fills the window. If it is not there, the page is shown as it is.
  const page = document.documentElement;
  page.dataset.embed = new URLSearchParams(location.search).get("embed") ?? "";
  const settled = () => document.querySelector(".bnlab-alone") || delete page.dataset.embed;

  // Binary traits lie beside the state as {path, encoding, data}; put them back as DataViews.
  function withBuffers({ state, buffers = [] }) {
    for (const { path, data, encoding } of buffers) {
      if (encoding !== "base64") throw new Error(`unknown buffer encoding "${encoding}"`);
      const owner = path.slice(0, -1).reduce((value, key) => value[key], state);
      const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
      owner[path.at(-1)] = new DataView(bytes.buffer);
    }
    return state;
  }

  // One model, shared by all its views. Events as in Backbone: "change:NAME" gives (model, value),
  // "change" gives (model). `on` takes several names separated by spaces.
  class StaticModel {
    bnlabHost = "static";
    #state;
    #listeners = new Map();
    #changed = {};

    constructor(state, manager) {
      this.#state = state;
      this.widget_manager = manager;
    }

    get(name) {
      return this.#state[name];
    }

    set(name, value) {
      const values = typeof name === "object" ? name : { [name]: value };
      const changed = Object.entries(values).filter(([key, v]) => this.#state[key] !== v);
      for (const [key, v] of changed) this.#changed[key] = this.#state[key] = v;
      for (const [key, v] of changed) this.#emit(`change:${key}`, v);
      if (changed.length) this.#emit("change");
    }

    changedAttributes() {
      return Object.keys(this.#changed).length ? { ...this.#changed } : false;
    }

    save_changes() {
      this.#changed = {};
    }

    send() {} // nobody listens; widgets look at bnlabHost first

    on(names, callback) {
      for (const name of names.split(/\s+/)) {
        this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), callback]);
      }
    }

    off(names, callback) {
      for (const name of names?.split(/\s+/) ?? [...this.#listeners.keys()]) {
        const kept = callback ? this.#listeners.get(name)?.filter((f) => f !== callback) : [];
        this.#listeners.set(name, kept ?? []);
      }
    }

    #emit(name, ...values) {
      for (const callback of this.#listeners.get(name) ?? []) callback(this, ...values);
    }
  }

  function explain(place, error) {
    console.error(error);
    const text = document.createElement("p");
    text.className = "bnlab-widget-error";
    text.setAttribute("role", "alert");
    text.textContent = `This interactive figure could not start: ${error?.message ?? error}. ` +
      "Reload the page; if that does not help, run the chapter in Colab or JupyterLab.";
    place.replaceChildren(text);
  }

  // A text that several widgets share stands in the first one: see tools/widget_states.py.
  function whole(stored) {
    for (const { state } of Object.values(stored)) {
      for (const key of ["_esm", "_css"]) {
        if (state[key]?.same) state[key] = stored[state[key].same].state[key];
      }
    }
    return stored;
  }

  function host(stored) {
    const models = new Map();
    const widgets = new Map();
    const styles = new Set();

    function entry(id) {
      if (!stored[id]) throw new Error("its state is not in this page");
      return stored[id];
    }

    const manager = { get_model: async (id) => model(id.replace(REFERENCE, "")) };

    function model(id) {
      if (!models.has(id)) models.set(id, new StaticModel(withBuffers(entry(id)), manager));
      return models.get(id);
    }

    // A module given as text is imported from a Blob: that works from file:// too. Each model has one
    // of its own, as in Jupyter: no widget sees what another one keeps in it.
    async function load(source) {
      const blob = new Blob([source], { type: "text/javascript" });
      const { default: widget } = await import(URL.createObjectURL(blob));
      return typeof widget === "function" ? widget() : widget;
    }

    // Once a model: module, style, initialize.
    function widgetOf(id) {
      if (widgets.has(id)) return widgets.get(id);
      if (entry(id).model_module !== "anywidget") {
        throw new Error("this site shows anywidgets only");
      }
      const shared = model(id);
      const css = shared.get("_css");
      if (css && !styles.has(css)) {
        styles.add(css);
        document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
      }
      const ready = load(shared.get("_esm")).then(async (widget) => {
        await widget.initialize?.({ model: shared });
        return widget;
      });
      widgets.set(id, ready);
      return ready;
    }

    /** Shows the widget whose state `named()` names; a place that cannot says why. */
    return async function show(named, el) {
      el.className = "bnlab-widget";
      try {
        const id = named();
        const widget = await widgetOf(id);
        await widget.render?.({ model: model(id), el });
      } catch (error) {
        explain(el, error);
      }
    };
  }

  /** A widget whose state came later than the page, see repeat_here.js. */
  globalThis.bnlabShow = (entry, el) => host({ one: entry })(() => "one", el);

  function render(show, script) {
    const el = document.createElement("div");
    script.before(el);
    return show(() => JSON.parse(script.textContent).model_id, el);
  }

  async function start() {
    const views = [...document.querySelectorAll(`script[type="${VIEW}"]`)];
    if (!views.length) return;
    const text = document.querySelector(`script[type="${STATE}"]`)?.textContent;
    const show = host(whole(text ? JSON.parse(text).state : {}));
    await Promise.all(views.map((script) => render(show, script)));
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => start().then(settled));
  else start().then(settled);
})();
