// Shows the widgets of a static page. There is no kernel: the page alone holds their values.
// A classic script, because browsers refuse modules on pages that are opened as files.
(() => {
  "use strict";
  const JUPYTER = "application/vnd.jupyter.widget-";
  const NOTE =
    "What you see is saved: the controls of this cell need Python. " +
    "To use them, open the chapter in JupyterLab (make lab) and run it.";

  const saved = {}; // model id -> its state, as the notebook kept it; U+E03C stands for "<"
  for (const script of document.querySelectorAll(`script[type="${JUPYTER}state+json"]`)) {
    Object.assign(saved, JSON.parse(script.textContent.replaceAll("\\ue03c", "\\u003c")).state);
  }

  // What an anywidget asks of Jupyter's model.
  class Model {
    constructor(values) {
      this.values = values;
      this.listeners = new Map();
    }
    get(name) {
      return this.values[name];
    }
    set(name, value) {
      const changes = typeof name === "string" ? { [name]: value } : name;
      const changed = Object.keys(changes).filter((key) => this.values[key] !== changes[key]);
      Object.assign(this.values, changes);
      for (const key of changed) this.tell(`change:${key}`, changes[key]);
      if (changed.length) this.tell("change");
    }
    tell(event, value) {
      for (const listener of [...(this.listeners.get(event) ?? [])]) listener(this, value);
    }
    on(events, listener) {
      for (const event of events.split(/\s+/)) {
        if (!this.listeners.has(event)) this.listeners.set(event, new Set());
        this.listeners.get(event).add(listener);
      }
    }
    off(events, listener) {
      for (const event of (events ?? [...this.listeners.keys()].join(" ")).split(/\s+/)) {
        if (listener) this.listeners.get(event)?.delete(listener);
        else this.listeners.delete(event);
      }
    }
    save_changes() {}
    send() {}
  }

  function once(make) {
    const made = new Map();
    return (key) => {
      if (!made.has(key)) made.set(key, make(key));
      return made.get(key);
    };
  }

  const addStyle = once((css) => {
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
  });

  const loadModule = once(async (code) => {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    try {
      const module = await import(url);
      return typeof module.default === "function" ? await module.default() : module.default;
    } finally {
      URL.revokeObjectURL(url);
    }
  });

  // The model of an id, and the functions that draw it; views of one model share both.
  const wake = once(async (id) => {
    const { state, buffers = [] } = saved[id];
    const values = structuredClone(state);
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const holder = path.slice(0, -1).reduce((inner, key) => inner[key], values);
      holder[path.at(-1)] = new DataView(bytes.buffer);
    }
    const model = new Model(values);
    const widget = await loadModule(values._esm);
    await widget.initialize?.({ model, signal: new AbortController().signal });
    return { model, widget };
  });

  async function draw(id, place) {
    if (saved[id].state._css) addStyle(saved[id].state._css);
    const { model, widget } = await wake(id);
    await widget.render?.({ model, el: place, signal: new AbortController().signal });
  }

  // A saved output: a picture, a table, or text.
  function showOutput(output, place) {
    const data = output.data ?? {};
    const join = (text) => (Array.isArray(text) ? text.join("") : text);
    const plain = join(data["text/plain"] ?? output.text ?? "");
    if (data["image/png"]) {
      const image = new Image();
      image.src = `data:image/png;base64,${join(data["image/png"])}`;
      image.alt = plain || "Saved figure";
      place.append(image);
    } else if (data["text/html"]) {
      place.insertAdjacentHTML("beforeend", join(data["text/html"]));
    } else if (plain) {
      place.append(Object.assign(document.createElement("pre"), { textContent: plain }));
    }
  }

  // A widget that is no anywidget cannot move here: what it holds is shown as it was last.
  async function show(id, place) {
    const state = saved[id]?.state ?? {};
    if (state._esm) return draw(id, place);
    for (const output of state.outputs ?? []) showOutput(output, place);
    for (const child of state.children ?? []) await show(child.replace("IPY_MODEL_", ""), place);
  }

  async function start(script) {
    const { model_id: id } = JSON.parse(script.textContent);
    const place = document.createElement("div");
    place.className = "widget-on-page";
    script.before(place);
    if (!saved[id]?.state._esm) {
      const note = document.createElement("div");
      note.className = "admonition note";
      note.textContent = NOTE;
      place.append(note);
    }
    try {
      await show(id, place);
    } catch (error) {
      console.error(error);
      place.append("This widget could not be shown.");
    }
  }

  document.querySelectorAll(`script[type="${JUPYTER}view+json"]`).forEach(start);
})();
