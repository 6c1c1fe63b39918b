// A skeleton that moves: bones and joints of a clip, bubbles as large as a joint's importance.
// Complete in itself, for JupyterLab and for static pages: it asks for no other file.

const [WIDTH, HEIGHT, MARGIN] = [560, 400, 24]; // of the drawing, in its own units
const BUBBLE = 17; // radius of the largest
const START = { yaw: -0.4, pitch: 0.14 }; // radians
const KEYS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const [KEY_STEP, DRAG_STEP] = [Math.PI / 18, 1 / 120]; // radians a key press, and a pixel
const UNSEEN = -32768;

const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const digits = (x) => String(+x.toPrecision(2));
const escaped = (text) => text.replace(/[&<]/g, (c) => ({ "&": "&amp;", "<": "&lt;" })[c]);

// ---- data

const bytesOf = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

// Clips with `at(body, frame, joint)`, a point or null, and `value(layer, body, frame, joint)`.
function unpack(model) {
  const poses = new Int16Array(bytesOf(model.get("poses")));
  const maps = new Int8Array(bytesOf(model.get("importance")));
  const [V, C] = [model.get("skeleton").joints.length, model.get("n_axes")];
  let before = 0; // joints in earlier clips
  return model.get("clips").map(({ name, bodies, frames }, i) => {
    const [start, size] = [before, bodies * frames * V];
    const peaks = model.get("peaks")[i] ?? [];
    before += size;
    const place = (m, t, v) => (m * frames + t) * V + v;
    const at = (m, t, v) => {
      const p = (start + place(m, t, v)) * C;
      return poses[p] === UNSEEN ? null : [poses[p], poses[p + 1], C === 3 ? poses[p + 2] : 0];
    };
    const value = (l, m, t, v) =>
      (maps[start * peaks.length + l * size + place(m, t, v)] / 127) * peaks[l];
    const signed = maps.subarray(start * peaks.length, before * peaks.length).some((x) => x < 0);
    return { name, bodies, frames, peaks, at, value, signed, ...extent(bodies, frames, V, at) };
  });
}

// How far a clip reaches from its middle, however it is turned, and the zoom that shows it all.
function extent(bodies, frames, V, at) {
  let [height, radius, floor] = [1, 1, Infinity];
  for (let i = 0; i < bodies * frames * V; i++) {
    const p = at(0, 0, i); // bodies, frames and joints in a row
    if (!p) continue;
    height = Math.max(height, Math.abs(p[1]));
    radius = Math.max(radius, Math.hypot(p[0], p[2]));
    floor = Math.min(floor, p[1]);
  }
  const zoom = Math.min((WIDTH / 2 - MARGIN) / radius, (HEIGHT / 2 - MARGIN) / height);
  return { radius, floor, zoom };
}

// Parallel projection: x to the right, y down the page, and how near (1) or far (-1) it is.
function project([x, y, z], { yaw, pitch }, { zoom, radius }) {
  const across = x * Math.cos(yaw) + z * Math.sin(yaw);
  const away = z * Math.cos(yaw) - x * Math.sin(yaw);
  const up = y * Math.cos(pitch) + away * Math.sin(pitch);
  const near = clamp((y * Math.sin(pitch) - away * Math.cos(pitch)) / radius, -1, 1);
  const round = (u) => Math.round(u * 10) / 10;
  return { x: round(WIDTH / 2 + zoom * across), y: round(HEIGHT / 2 - zoom * up), near };
}

// ---- pieces of drawing

const line = (p, q, colour, width) =>
  `<line x1="${p.x}" y1="${p.y}" x2="${q.x}" y2="${q.y}" stroke="${colour}"
    stroke-width="${width.toFixed(1)}" stroke-linecap="round"/>`;

// Area is size. Colour is sign, and so is the shape: what is negative is a ring.
function bubble({ x, y }, share, sign, colours) {
  const paint = sign > 0
    ? `fill="${colours.positive}" fill-opacity="${0.35 + 0.5 * share}" stroke="${colours.positive}"`
    : `fill="#fff" fill-opacity="0.6" stroke="${colours.negative}" stroke-width="2.5"`;
  const radius = (BUBBLE * Math.sqrt(share)).toFixed(2);
  return `<circle class="bubble" cx="${x}" cy="${y}" r="${radius}" ${paint}/>`;
}

function grid(turn, clip) {
  const [lines, e] = [[], clip.radius];
  for (let s = -e; s <= 1.01 * e; s += e / 4) {
    for (const ends of [[[s, -e], [s, e]], [[-e, s], [e, s]]]) {
      const [p, q] = ends.map(([x, z]) => project([x, clip.floor, z], turn, clip));
      lines.push(line(p, q, "#e1e5ea", 1));
    }
  }
  return lines.join("");
}

// ---- the player

// JupyterLab takes the arrow keys away unless the control itself says that it needs them
const KEEP = 'data-lm-suppress-shortcuts="true"';
const select = (name, label) =>
  `<label class="player-${name}"><span>${label}</span><select ${KEEP}></select></label>`;
const PARTS = `
  <div class="player-row">
    ${select("clip", "Clip")} ${select("layer", "Map")} ${select("scale", "Bubbles compared")}
  </div>
  <svg class="player-stage" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" ${KEEP}></svg>
  <div class="player-legend"></div>
  <p class="player-note player-mean"></p>
  <svg class="player-course" viewBox="0 0 1 32" preserveAspectRatio="none" aria-hidden="true">
    <path fill="#e9ecf0" stroke="#7b838d" vector-effect="non-scaling-stroke"/>
    <line y1="0" y2="32" stroke="#222" vector-effect="non-scaling-stroke"/>
  </svg>
  <input type="range" min="0" step="1" aria-label="Frame" ${KEEP}>
  <div class="player-row">
    <button type="button" class="player-play" ${KEEP}></button>
    ${select("speed", "Speed")}
    <button type="button" class="player-reset" ${KEEP}>Reset view</button>
    <output class="player-status"></output>
  </div>
  <p class="player-note player-hint"></p>`;

function render({ model, el }) {
  const [skeleton, colours, layers] = ["skeleton", "colours", "layers"].map((k) => model.get(k));
  const { joints, edges, tints } = skeleton;
  const [fps, quantity, solid] = [model.get("fps"), model.get("quantity"), model.get("n_axes") === 3];
  const clips = unpack(model);
  const turn = solid ? { ...START } : { yaw: 0, pitch: 0 };
  let request = 0; // for the next picture, while it plays
  const root = document.createElement("div");
  Object.assign(root, { className: "skeleton-player", role: "group", innerHTML: PARTS });
  root.ariaLabel = `Skeleton player${layers.length ? `: ${quantity}` : ""}`;
  const part = (name) => root.querySelector(`.player-${name}`);
  const [stage, course, legend, status] = ["stage", "course", "legend", "status"].map(part);
  const [play, reset, slider] = [part("play"), part("reset"), root.querySelector("input")];
  const menu = (name, options) => {
    const box = part(name).querySelector("select");
    options.forEach(([text, value]) => box.add(new Option(text, value)));
    part(name).hidden = options.length < 2;
    return box;
  };
  const clipMenu = menu("clip", clips.map(({ name }, i) => [name, i]));
  const layerMenu = menu("layer", layers.map((name, i) => [name, i]));
  const scales = [["within this map", "layer"], ["across maps", "all"]];
  const scaleMenu = menu("scale", layers.length > 1 ? scales : scales.slice(0, 1));
  const speedMenu = menu("speed", [0.25, 0.5, 1, 2].map((speed) => [`${speed}×`, speed]));
  speedMenu.value = 1;
  reset.hidden = !solid;
  for (const name of ["mean", "course"]) part(name).toggleAttribute("hidden", !layers.length);
  const mean = clips.some(({ signed }) => signed) ? "Mean absolute" : "Mean";
  part("mean").textContent = `${mean} ${quantity} of the joints over time`;
  part("hint").textContent =
    (layers.length ? "The area of a bubble is its value. " : "") +
    (solid ? "Drag the figure to turn it, or use the arrow keys on it." : "");

  // What is shown now.
  const clip = () => clips[clamp(model.get("clip"), 0, clips.length - 1)];
  const layer = () => clamp(model.get("layer"), 0, layers.length - 1);
  const frame = () => clamp(model.get("frame"), 0, clip().frames - 1);
  const largest = () =>
    layers.length ? (scaleMenu.value === "all" ? Math.max(...clip().peaks) : clip().peaks[layer()]) : 0;

  function draw() {
    const [c, t, l, top] = [clip(), frame(), layer(), largest()];
    const marks = []; // near ones cover far ones, and joints cover bones
    let best = { size: 0 };
    for (let m = 0; m < c.bodies; m++) {
      const points = joints.map((_, v) => c.at(m, t, v)).map((p) => p && project(p, turn, c));
      for (const [a, b] of edges) {
        if (!points[a] || !points[b]) continue;
        const colour = [tints[a], tints[b]].find((tint) => tint !== colours.middle) ?? colours.middle;
        const near = (points[a].near + points[b].near) / 2;
        marks.push({ near: near - 2, drawn: line(points[a], points[b], colour, 3.6 + 1.2 * near) });
      }
      points.forEach((p, v) => {
        if (!p) return;
        const value = layers.length ? c.value(l, m, t, v) : 0;
        const share = top ? Math.abs(value) / top : 0;
        if (share * top > best.size) best = { size: share * top, name: joints[v] };
        const title = escaped(joints[v]) + (layers.length ? `: ${digits(value)}` : "");
        const colour = layers.length ? colours.ink : tints[v];
        marks.push({ near: p.near, drawn: `<g><title>${title}</title>
          <circle cx="${p.x}" cy="${p.y}" r="3" fill="${colour}"/>
          ${share ? bubble(p, share, value, colours) : ""}</g>` });
      });
    }
    marks.sort((one, other) => one.near - other.near);
    stage.innerHTML = (solid ? grid(turn, c) : "") + marks.map(({ drawn }) => drawn).join("");
    slider.max = c.frames - 1;
    slider.value = t;
    const now = course.querySelector("line");
    for (const end of ["x1", "x2"]) now.setAttribute(end, c.frames > 1 ? t / (c.frames - 1) : 0);
    const words = [`frame ${t + 1} of ${c.frames}`, `${(t / fps).toFixed(2)} s`];
    if (best.size) words.push(`largest: ${best.name}`);
    status.textContent = words.join(" · ");
    slider.setAttribute("aria-valuetext", status.textContent);
    stage.setAttribute("aria-label", [c.name, layers[l], ...words].filter(Boolean).join(", "));
  }

  function drawCourse() {
    const [c, l] = [clip(), layer()];
    const total = Array(c.frames).fill(0);
    for (let m = 0; m < c.bodies; m++)
      for (let t = 0; t < c.frames; t++)
        for (let v = 0; v < joints.length; v++) total[t] += Math.abs(c.value(l, m, t, v));
    const top = Math.max(...total) || 1;
    const points = total.map((y, t) => `L${t / Math.max(c.frames - 1, 1)} ${31 - (28 * y) / top}`);
    course.querySelector("path").setAttribute("d", `M0 32${points.join("")}L1 32Z`);
  }

  function drawLegend() {
    const key = (size, drawn, text) =>
      `<span><svg width="${size}" height="${size}" aria-hidden="true">${drawn}</svg>${text}</span>`;
    const dot = (share, sign, text) => {
      const middle = BUBBLE * Math.sqrt(share) + 2;
      return key(2 * middle, bubble({ x: middle, y: middle }, share, sign, colours), text);
    };
    const bar = (side) => key(20, line({ x: 3, y: 10 }, { x: 17, y: 10 }, colours[side], 4), side);
    const [c, top] = [clip(), largest()];
    legend.innerHTML = [
      ...(layers.length ? [`<strong>${escaped(quantity)}</strong>`] : []),
      ...(top ? [1, 0.25, 0.05].map((share) => dot(share, 1, digits(share * top))) : []),
      ...(c.signed ? [dot(0.25, -1, "negative")] : []),
      ...(tints.includes(colours.left) ? ["left", "right"].map(bar) : []),
    ].join("");
  }

  function refresh() {
    clipMenu.value = model.get("clip");
    layerMenu.value = model.get("layer");
    if (layers.length) drawCourse();
    drawLegend();
    draw();
  }

  // ---- time

  function showPlaying(playing) {
    play.textContent = playing ? "❚❚ Pause" : "▶ Play";
    status.setAttribute("aria-live", playing ? "off" : "polite");
  }
  function stop() {
    if (request) model.save_changes(); // the kernel hears of the last frame alone
    cancelAnimationFrame(request);
    request = 0;
    showPlaying(false);
  }
  function start() {
    let [before, due] = [performance.now(), 0];
    request = requestAnimationFrame(function step(time) {
      if (!root.isConnected) return stop();
      due += (Math.max(0, time - before) / 1000) * fps * speedMenu.value;
      before = time;
      if (due >= 1) model.set("frame", (frame() + Math.floor(due)) % clip().frames);
      due %= 1;
      request = requestAnimationFrame(step);
    });
    showPlaying(true);
  }

  // ---- the reader's hands

  const choose = (values) => { model.set(values); model.save_changes(); };
  function turnBy(yaw, pitch) {
    turn.yaw += yaw;
    turn.pitch = clamp(turn.pitch + pitch, -0.2, Math.PI / 2);
    draw();
  }
  play.addEventListener("click", () => (request ? stop() : start()));
  slider.addEventListener("input", () => choose({ frame: +slider.value }));
  layerMenu.addEventListener("change", () => choose({ layer: +layerMenu.value }));
  clipMenu.addEventListener("change", () => choose({ frame: 0, clip: +clipMenu.value }));
  scaleMenu.addEventListener("change", refresh);
  reset.addEventListener("click", () => turnBy(START.yaw - turn.yaw, START.pitch - turn.pitch));
  root.addEventListener("keydown", (e) => e.stopPropagation()); // the page has shortcuts of its own
  if (solid) {
    let held = null; // where the pointer was, while it drags
    stage.setAttribute("tabindex", 0);
    stage.addEventListener("pointerdown", (e) => stage.setPointerCapture((held = e).pointerId));
    stage.addEventListener("lostpointercapture", () => (held = null));
    stage.addEventListener("pointermove", (e) => {
      if (!held) return;
      turnBy((held.clientX - e.clientX) * DRAG_STEP, (e.clientY - held.clientY) * DRAG_STEP);
      held = e;
    });
    stage.addEventListener("keydown", (e) => {
      if (!KEYS[e.key]) return;
      e.preventDefault();
      turnBy(...KEYS[e.key].map((direction) => direction * KEY_STEP));
    });
  }

  const listeners = { "change:frame": draw, "change:layer": refresh, "change:clip": refresh };
  for (const event in listeners) model.on(event, listeners[event]);
  showPlaying(false);
  refresh();
  el.append(root);
  return () => {
    stop();
    for (const event in listeners) model.off(event, listeners[event]);
  };
}

export default { render };
