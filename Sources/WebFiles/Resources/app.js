// The dashboard. The server sends three kinds of messages (GET /dashboard/events): `placement`, where
// the experts are, `popularity`, how often they were visited, and `status`, everything else, about
// twice a second. `views` says who shows them; a further view is a section of index.html and a
// function here. Texts from the server only ever become text nodes.

const byID = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");

const views = {
  placement: [showExperts, showHeat],
  popularity: [showHeat],
  status: [showModel, showFigures, showDevices, showMap, showPlan, showShipments, showTime, showEvents],
};

/** The latest messages, and what was unpacked of them. */
const now = { status: null, placement: { devices: [], layers: [] }, popularity: null };
/** By device the experts that it holds copies of, and the base station's own, as bits; see `has`. */
let copies = [];
let resident = null;
/** Of each expert its share of its layer's visits, by number. */
let shares = new Float32Array();

// Elements and figures

/** An element with properties (or attributes, where a name has a dash) and children. */
function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

/** The same for a part of a drawing. */
function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS(byID("map").namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function setText(id, text) {
  const element = byID(id);
  if (element.textContent !== text) element.textContent = text;
}

/** A number and its unit, the unit smaller. */
function setFigure(id, text) {
  const [value, unit = ""] = text.split(" ");
  const element = byID(id);
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  element.replaceChildren(value, ...(unit ? [" ", make("small", {}, unit)] : []));
}

function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 0.0001) return `${(value * 1e6).toFixed(0)} µs`;
  if (value < 0.01) return `${(value * 1e3).toFixed(2)} ms`;
  if (value < 0.1) return `${(value * 1e3).toFixed(1)} ms`;
  if (value < 1) return `${(value * 1e3).toFixed(0)} ms`;
  return `${value.toFixed(value < 10 ? 2 : 0)} s`;
}

/** Two times with their unit said once, where it is the same. */
function pair(first, second) {
  if (first === null || first === undefined) return "–";
  const [one, other] = [seconds(first), seconds(second)];
  const unit = other.split(" ")[1];
  return `${one.endsWith(` ${unit}`) ? one.slice(0, -unit.length - 1) : one} · ${other}`;
}

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit && value < 100 ? 1 : 0)} ${units[unit]}`;
}

function bits(perSecond) {
  const units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"];
  let unit = 0;
  while (perSecond >= 1000 && unit < units.length - 1) {
    perSecond /= 1000;
    unit += 1;
  }
  return `${perSecond.toFixed(perSecond < 10 ? 1 : 0)} ${units[unit]}`;
}

function percent(share) {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

function clockTime(unixTime) {
  return new Date(unixTime * 1000).toLocaleTimeString();
}

function rate(value) {
  return value >= 100 || value === 0 ? value.toFixed(0) : value.toFixed(1);
}

function count(value) {
  return value.toLocaleString("en");
}

function span(total) {
  const [days, hours] = [Math.floor(total / 86400), Math.floor(total / 3600) % 24];
  const minutes = Math.floor(total / 60) % 60;
  if (days) return `${days} d ${hours} h`;
  return hours ? `${hours} h ${minutes} min` : minutes ? `${minutes} min` : `${Math.floor(total)} s`;
}

// Colours: one for each device, in the order in which they were first seen

const hues = [
  ["#2f6fbb", "#6ea8ec"], ["#c4691c", "#eb9a52"], ["#2b8a6b", "#58c49f"], ["#8a58b5", "#b990e0"],
  ["#b8953a", "#dcc06e"], ["#b4497c", "#e284b1"], ["#3d8f9e", "#6cc3d2"], ["#7c8a2d", "#b3c25e"],
];
const seen = [];

function color(device) {
  if (!device) return getComputedStyle(document.documentElement).getPropertyValue("--base").trim();
  if (!seen.includes(device)) seen.push(device);
  const index = seen.indexOf(device);
  if (index < hues.length) return hues[index][dark.matches ? 1 : 0];
  // Turning by the golden angle keeps any two neighbours apart.
  return `hsl(${Math.round(index * 137.5) % 360} 45% ${dark.matches ? 68 : 42}%)`;
}

function swatch(device) {
  const element = make("span", { className: "swatch", "aria-hidden": "true" });
  element.style.backgroundColor = color(device);
  return element;
}

// Status

function showModel(status) {
  const { id, layers, experts } = status.model;
  const shape = experts ? `${layers} layers of ${experts} experts` : "no experts";
  const present = status.devices.filter((device) => device.state !== "lost").length;
  const cell = present === 1 ? "1 device" : `${present} devices`;
  const text = ` · ${shape} · ${present ? cell : "no devices"}`;
  if (byID("model").textContent !== id + text) {
    byID("model").replaceChildren(make("b", {}, id), text);
  }
  connection(status.ready ? "ready" : "loading", status.ready ? "Ready" : "Waits for devices");
  setText("uptime", `· up ${span(status.uptime_seconds)}`);
}

function connection(state, text) {
  byID("connection").dataset.state = state;
  setText("connection", text);
}

function showFigures({ tokens, latency, requests, kv_cache }) {
  setFigure("rate", rate(tokens.answer_per_second));
  setText("totals", `${count(tokens.answer_total)} drawn · ${count(tokens.prompt_total)} read`);
  setFigure("first", seconds(latency.first_token_seconds));
  setFigure("later", seconds(latency.token_seconds));
  setFigure("requests", count(requests.running));
  setText("waiting", requests.waiting ? `${count(requests.waiting)} waiting` : "none waiting");
  setFigure("memory", bytes(kv_cache.bytes));
  setText("memory-note", `of ${bytes(kv_cache.limit_bytes)}`);
  const history = tokens.answer_per_second_history;
  const most = Math.max(1, ...history);
  const points = history.map(
    (value, index) => `${120 - history.length + index + 0.5} ${(31 - (29 * value) / most).toFixed(2)}`);
  byID("spark-line").setAttribute("d", points.length ? `M${points.join("L")}` : "");
  byID("spark-area").setAttribute(
    "d", points.length ? `M${120.5 - history.length} 32L${points.join("L")}L119.5 32Z` : "");
}

const stateTexts = { ready: "Ready", loading: "Loading", spare: "Spare", late: "No answer", lost: "Lost" };

function showDevices(status) {
  const homes = now.placement.layers.flat();
  const here = homes.filter((home) => home === null).length;
  const rows = [
    row({
      name: "base station", device: null, state: "ready", detail: "attention, router and head",
      experts: count(here), load: status.base_station.load,
    }),
    ...status.devices.map((device) => row({
      ...device, device: device.name, detail: detail(device),
      experts: device.ready_experts === device.experts
        ? count(device.experts) : `${count(device.ready_experts)} of ${count(device.experts)}`,
      ping: seconds(device.ping_seconds),
      trip: pair(device.round_trip_median_seconds, device.round_trip_95_percent_seconds),
      traffic: `${bytes(device.downlink_bytes_per_second + device.uplink_bytes_per_second)}/s`,
      lost: count(device.lost_batches),
    })),
  ];
  byID("devices").replaceChildren(...rows);
  const { lost, recomputed } = status.groups;
  setText("groups", `${count(lost)} batches lost · ${count(recomputed)} recomputed at the base station`);
}

function detail(device) {
  if (device.state === "lost") return device.reason ?? "gone";
  const shipped = device.shipped_bytes ? `, ${bytes(device.shipped_bytes)} shipped` : "";
  const kept = device.kept_experts ? `, ${count(device.kept_experts)} more on disk` : "";
  return `${bytes(device.memory_bytes)}, ${device.instruction_set}${shipped}${kept}`;
}

function row({ name, device, state, detail, experts, ping, trip, load, traffic, lost }) {
  const chip = make("span", { className: "chip", "data-state": state }, stateTexts[state]);
  const cell = (label, ...content) =>
    make("td", { role: "cell", "data-label": label }, ...content.filter((part) => part !== undefined));
  const nameCell = cell("Device", swatch(device), make("b", {}, name), make("small", {}, detail));
  const stateCell = cell("State", chip);
  nameCell.className = "name";
  stateCell.className = "state";
  const isLost = state === "lost";
  return make(
    "tr", { role: "row", className: state }, nameCell, stateCell, cell("Experts", experts),
    cell("Ping", isLost ? "–" : ping), cell("Round trip", trip),
    isLost ? cell("Load", "–") : cell("Load", ...meter(load)), cell("Traffic", isLost ? "–" : traffic),
    cell("Lost batches", lost));
}

function meter(share) {
  const percent = Math.round(100 * Math.min(1, share));
  const bar = make("span", {});
  bar.style.width = `${percent}%`;
  return [
    make("span", { className: "meter", "aria-hidden": "true" }, bar),
    make("span", { className: "percent" }, `${percent} %`),
  ];
}

function showTime({ latency }) {
  const [computing, waits] = [latency.step_computing_seconds, latency.step_waiting_seconds];
  const total = (computing ?? 0) + (waits ?? 0);
  byID("computing-bar").style.width = total ? `${(100 * computing) / total}%` : "0";
  byID("waiting-bar").style.width = total ? `${(100 * waits) / total}%` : "0";
  setText("step", total ? `${seconds(total)} each, last 10 s` : "idle for 10 s");
  setText("computing", seconds(computing));
  setText("waits", seconds(waits));
  setText("queue", seconds(latency.queue_seconds));
}

const eventTexts = { joined: "Joined", ready: "Ready", late: "Late", lost: "Lost", refused: "Refused" };
let lastEvent = null;

function showEvents({ events }) {
  const latest = events.length ? events[events.length - 1].number : 0;
  if (latest === lastEvent) return;
  if (lastEvent !== null) announce(events.filter((event) => event.number > lastEvent));
  lastEvent = latest;
  const items = events.slice().reverse().map((event) => {
    const moment = new Date(event.unix_time * 1000);
    const time = make("time", { dateTime: moment.toISOString() }, moment.toLocaleTimeString());
    return make(
      "li", { className: event.kind }, time, make("b", {}, eventTexts[event.kind] ?? event.kind),
      make("span", {}, event.text));
  });
  if (!items.length) items.push(make("li", { className: "empty" }, "Nothing has happened yet."));
  byID("events").replaceChildren(...items);
}

function announce(events) {
  if (events.length) setText("news", events.map((event) => event.text).join(". "));
}

// Experts: who holds what. A bit for each expert, layer by layer, the lowest of a byte first

function unpack(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Experts of the layer that has most. */
let width = 0;

function has(set, layer, expert) {
  const number = layer * width + expert;
  return ((set?.[number >> 3] ?? 0) >> (number & 7)) & 1;
}

/** Names of the devices that hold the expert besides the one that it is planned for. */
function copiesOf(layer, expert) {
  return now.placement.devices.filter((_, index) => has(copies[index], layer, expert));
}

/** The device that an expert is planned for, or null. */
function homeOf(layer, expert) {
  const index = now.placement.layers[layer][expert];
  return index === null ? null : now.placement.devices[index];
}

const places = { memory: "base station’s memory", file: "in no memory", base: "base station" };

/** Where the base station has an expert: its memory, its file alone, or nobody tells these apart. */
function placeHere(layer, expert) {
  return resident === null ? "base" : has(resident, layer, expert) ? "memory" : "file";
}

/** Who holds an expert, in words. */
function holders(layer, expert) {
  const home = homeOf(layer, expert);
  const others = copiesOf(layer, expert);
  const first = home === null
    ? placeHere(layer, expert) === "file" && others.length ? "base station’s file" : places[placeHere(layer, expert)]
    : isLost(home) ? `${home} (lost)` : home;
  return others.length ? `${first}, ${others.length > 1 ? "copies" : "copy"} on ${others.join(", ")}` : first;
}

function isLost(name) {
  return now.status?.devices.some((device) => device.name === name && device.state === "lost") ?? false;
}

/** The letter of a device in the grid, as in `martlet status`. */
function letter(name) {
  return "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[now.placement.devices.indexOf(name)] ?? "#";
}

/**
 * Layers and experts as a canvas, the longer side across; pointer and arrow keys go from cell to
 * cell. `paint(context, box, layer, expert)` draws a cell, `tell(layer, expert)` says what it is.
 */
class Grid {
  constructor(id, axis, paint, tell) {
    Object.assign(this, { canvas: byID(id), axis, paint, tell, at: null });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.select(null));
    this.canvas.addEventListener("focus", () =>
      this.canvas.matches(":focus-visible") && this.select(this.at ?? this.first()));
    this.canvas.addEventListener("blur", () => this.select(null));
    this.canvas.addEventListener("keydown", (event) => this.step(event));
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
  }

  first() {
    const layer = now.placement.layers.findIndex((layer) => layer.length);
    return layer < 0 ? null : [layer, 0];
  }

  /** Sizes in CSS pixels: layers across where there are more of them than experts. */
  geometry() {
    const layers = now.placement.layers.length;
    const experts = width;
    const layersAcross = layers > experts;
    const [across, down] = layersAcross ? [layers, experts] : [experts, layers];
    const room = this.canvas.parentElement.clientWidth - 32;
    const widest = room / Math.max(1, across);
    const height = Math.max(1, Math.min(Math.max(widest, 4), 30, 420 / Math.max(1, down)));
    const size = Math.max(1, Math.min(widest, 3 * height));
    return { layersAcross, across, down, size, height };
  }

  point({ offsetX, offsetY }) {
    const { layersAcross, size, height } = this.geometry();
    const [column, line] = [Math.floor(offsetX / size), Math.floor(offsetY / height)];
    const cell = layersAcross ? [column, line] : [line, column];
    if (now.placement.layers[cell[0]]?.[cell[1]] !== undefined) this.select(cell);
  }

  step(event) {
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    const [down, across] = steps[event.key] ?? [0, 0];
    if (event.key === "Escape") return this.select(null);
    if (!down && !across) return;
    event.preventDefault();
    const [layer, expert] = this.at ?? this.first() ?? [0, 0];
    const [l, e] = this.geometry().layersAcross ? [layer + across, expert + down] : [layer + down, expert + across];
    if (now.placement.layers[l]?.[e] !== undefined) this.select([l, e]);
  }

  select(cell) {
    if (cell?.join() === this.at?.join()) return;
    this.at = cell;
    this.draw();
  }

  draw() {
    const { layersAcross, across, down, size, height } = this.geometry();
    const scale = devicePixelRatio || 1;
    this.canvas.style.width = `${across * size}px`;
    this.canvas.style.height = `${down * height}px`;
    this.canvas.hidden = !across;
    this.canvas.width = Math.round(across * size * scale);
    this.canvas.height = Math.round(down * height * scale);
    const sides = layersAcross ? "Across: layers. Down: experts." : "Across: experts. Down: layers.";
    setText(this.axis, !across ? "" : this.at ? `Layer ${this.at[0]}, expert ${this.at[1]}: ${this.tell(...this.at)}` : sides);
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    const gap = Math.min(size, height) > 10 ? 2 : Math.min(size, height) > 4 ? 1 : 0;
    const box = (l, e) => {
      const [x, y] = layersAcross ? [l * size, e * height] : [e * size, l * height];
      return [x + gap / 2, y + gap / 2, size - gap, height - gap];
    };
    this.palette = palette();
    now.placement.layers.forEach((layer, l) => layer.forEach((_, e) => this.paint(context, box(l, e), l, e)));
    if (this.at) frame(context, box(...this.at), this.palette.ink, 2);
  }
}

function palette() {
  const style = getComputedStyle(document.documentElement);
  const named = ["ink", "bad", "base", "surface", "cold", "hot"].map(
    (name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  const devices = new Map([null, ...now.placement.devices].map((name) => [name, color(name)]));
  return { ...Object.fromEntries(named), devices, lost: new Set(now.placement.devices.filter(isLost)) };
}

/** A line inside a box's border, or around one that is too small for it. */
function frame(context, [x, y, width, height], style, line) {
  const inside = Math.min(width, height) < 6 ? -line : line / 2;
  context.strokeStyle = style;
  context.lineWidth = line;
  context.beginPath();
  context.roundRect(x + inside, y + inside, width - 2 * inside, height - 2 * inside, 1.5);
  context.stroke();
}

function fill(context, [x, y, width, height], style) {
  context.fillStyle = style;
  if (Math.min(width, height) < 6) return context.fillRect(x, y, width, height);
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(2, width / 4, height / 4));
  context.fill();
}

// Where experts live: in the colour and with the letter of the device; a dot for the base station's
// memory, hollow where in no memory, a corner for each copy

/** By layer the visits of the token that is looked at, or null. */
let chosen = null;
const grid = new Grid("grid", "axis", paintHome, holders);

function paintHome(context, box, layer, expert) {
  const { ink, bad, base, surface, devices, lost } = grid.palette;
  const [x, y, width, height] = box;
  const name = homeOf(layer, expert);
  const visit = chosen?.[layer]?.find((visit) => visit.expert === expert);
  const style = visit ? devices.get(visit.device) ?? color(visit.device) : devices.get(name);
  const place = name === null ? placeHere(layer, expert) : "device";
  context.globalAlpha = (chosen && !visit ? 0.22 : 1) * (lost.has(name) && !visit ? 0.25 : 1);
  if (place === "file" && !visit && Math.min(width, height) >= 4) frame(context, box, base, 1);
  else {
    if (place === "file" && !visit) context.globalAlpha *= 0.35;
    fill(context, box, style);
  }
  const isLarge = width >= 13 && height >= 13;
  if (isLarge && name !== null && !visit) {
    context.fillStyle = surface;
    context.font = `600 ${Math.min(13, height - 3)}px ${fonts}`;
    [context.textAlign, context.textBaseline] = ["center", "middle"];
    context.fillText(letter(name), x + width / 2, y + height / 2 + 1);
  } else if (place === "memory" && Math.min(width, height) >= 5) {
    context.fillStyle = ink;
    context.beginPath();
    context.arc(x + width / 2, y + height / 2, Math.min(3, Math.min(width, height) / 4), 0, 7);
    context.fill();
  }
  if (Math.min(width, height) >= 5) paintCopies(context, box, layer, expert);
  context.globalAlpha = 1;
  if (lost.has(name)) cross(context, box, bad);
  if (visit) frame(context, box, ink, 1.75);
}

const fonts = getComputedStyle(document.body).fontFamily;

/** Corners at the right, from above, in the colours of those that hold copies. */
function paintCopies(context, [x, y, width, height], layer, expert) {
  const side = Math.min(9, Math.max(3, height / 3));
  copiesOf(layer, expert).slice(0, Math.floor(height / side)).forEach((name, index) => {
    const [right, top] = [x + width, y + index * side];
    context.beginPath();
    context.moveTo(right - side, top);
    context.lineTo(right, top);
    context.lineTo(right, top + side);
    context.closePath();
    context.fillStyle = grid.palette.devices.get(name);
    context.fill();
    context.strokeStyle = grid.palette.surface;
    context.lineWidth = 1;
    context.stroke();
  });
}

function cross(context, [x, y, width, height], style) {
  if (Math.min(width, height) < 4) return;
  frame(context, [x, y, width, height], style, 1.25);
  context.beginPath();
  context.moveTo(x + 3, y + height - 3);
  context.lineTo(x + width - 3, y + 3);
  context.stroke();
}

function showExperts(placement) {
  width = Math.max(0, ...placement.layers.map((layer) => layer.length));
  copies = (placement.copies ?? []).map(unpack);
  resident = typeof placement.resident === "string" ? unpack(placement.resident) : null;
  const homes = new Map(placement.devices.map((name) => [name, 0]));
  const here = new Map();
  const copied = new Map();
  placement.layers.forEach((layer, l) => layer.forEach((_, e) => {
    const name = homeOf(l, e);
    if (name !== null) homes.set(name, homes.get(name) + 1);
    else here.set(placeHere(l, e), (here.get(placeHere(l, e)) ?? 0) + 1);
    for (const other of copiesOf(l, e)) copied.set(other, (copied.get(other) ?? 0) + 1);
  }));
  const devices = [...homes].map(([name, own]) => {
    const swatch = make("span", { className: "swatch lettered", "aria-hidden": "true" }, letter(name));
    swatch.style.backgroundColor = color(name);
    const more = copied.has(name) ? ` and ${count(copied.get(name))} copies` : "";
    return make("li", { className: isLost(name) ? "lost" : "" }, swatch,
      `${name}: ${count(own)}${more}${isLost(name) ? " (lost)" : ""}`);
  });
  const station = Object.keys(places).filter((place) => here.has(place)).map((place) => make(
    "li", {}, make("span", { className: `swatch ${place}`, "aria-hidden": "true" }), `${places[place]}: ${count(here.get(place))}`));
  const corner = copied.size ? [make("li", {}, make("span", { className: "swatch corner", "aria-hidden": "true" }), "copy on another device")] : [];
  byID("legend").replaceChildren(...devices, ...station, ...corner);
  const total = placement.layers.flat().length;
  setText("grid-note", total ? `${count(total)} experts, by layer and home` : "The model has no experts.");
  if (byID("list").open) listHomes();
  grid.draw();
}

function listHomes() {
  const items = now.placement.layers.flatMap((layer, index) => {
    const groups = new Map();
    layer.forEach((_, expert) => {
      const name = holders(index, expert);
      groups.set(name, [...(groups.get(name) ?? []), expert]);
    });
    const text = [...groups].map(([name, experts]) => `${name}: ${experts.join(", ")}`).join("; ");
    return [make("dt", {}, `Layer ${index}`), make("dd", {}, text || "no experts")];
  });
  byID("homes").replaceChildren(...items);
}
byID("list").addEventListener("toggle", () => byID("list").open && listHomes());

// Popularity: shades by share of the layer's visits

const heat = new Grid("heat", "heat-axis", paintHeat, (layer, expert) =>
  `${percent(shareOf(layer, expert))} of the layer’s visits; ${holders(layer, expert)}`);

function shareOf(layer, expert) {
  return shares[layer * width + expert] ?? 0;
}

function paintHeat(context, box, layer, expert) {
  const { cold, hot } = heat.palette;
  const part = shareOf(layer, expert) / (now.popularity?.top_share || 1);
  fill(context, box, cold);
  // The root tells small shares apart.
  context.globalAlpha = Math.sqrt(part);
  if (part) fill(context, box, hot);
  context.globalAlpha = 1;
}

function showHeat() {
  const message = now.popularity;
  if (message?.shares === undefined) return;
  const bytes = unpack(message.shares);
  shares = Float32Array.from({ length: bytes.length / 2 }, (_, index) =>
    ((bytes[2 * index] + 256 * bytes[2 * index + 1]) / 65535) * message.top_share);
  setText("heat-note", message.visits ? `${count(message.visits)} visits since the start` : "Nothing was visited yet.");
  setText("heat-top", message.top_share ? percent(message.top_share) : "–");
  if (byID("hottest").open) listHottest();
  heat.draw();
}

/** Most experts of a layer in the list. */
const hottestShown = 5;

function listHottest() {
  const items = now.placement.layers.flatMap((layer, index) => {
    const experts = layer.map((_, expert) => expert).filter((expert) => shareOf(index, expert) > 0)
      .sort((left, right) => shareOf(index, right) - shareOf(index, left)).slice(0, hottestShown);
    const text = experts.map((expert) => `${expert}: ${percent(shareOf(index, expert))} (${holders(index, expert)})`).join("; ");
    return [make("dt", {}, `Layer ${index}`), make("dd", {}, text || (layer.length ? "no visits" : "no experts"))];
  });
  byID("hottest-list").replaceChildren(...items);
}
byID("hottest").addEventListener("toggle", () => byID("hottest").open && listHottest());

// The cell: the base station in the middle, a device the farther the longer its messages take, on
// a logarithmic scale; far nodes in a strip of their own

let lastMap = "";

/** What the map shows of a device. */
function onMap(device) {
  const state = device.state === "ready" && device.load > 0.005 ? "working" : device.state;
  const trip = device.message_seconds ?? device.hop_seconds ?? device.ping_seconds;
  const has = device.experts ? device.ready_experts / device.experts : 0;
  return {
    name: device.name, state, isFar: device.is_far, has: Number(has.toFixed(2)),
    trip: trip === null || trip === undefined ? null : Number(trip.toPrecision(2)),
    rate: device.bits_per_second ? Number(device.bits_per_second.toPrecision(2)) : null,
  };
}

const mapTexts = { ...stateTexts, ready: "Idle", working: "Working" };

function showMap(status) {
  const devices = status.devices.map(onMap).sort((left, right) => (left.name < right.name ? -1 : 1));
  const svg = byID("map");
  const wide = svg.parentElement.clientWidth - 32;
  const key = JSON.stringify([devices, wide, dark.matches, seen, now.placement.devices]);
  if (key === lastMap || wide <= 0) return;
  lastMap = key;
  const far = devices.filter((device) => device.isFar);
  const near = devices.filter((device) => !device.isFar);
  const strip = far.length ? 84 : 0;
  const tall = Math.round(Math.min(460, Math.max(330, 0.55 * wide))) + strip;
  svg.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
  svg.setAttribute("height", tall);
  const middle = [wide / 2, strip + (tall - strip) / 2];
  const reach = [wide / 2 - (wide < 500 ? 44 : 96), (tall - strip) / 2 - 52];
  const scale = decades(near);
  const first = (near.length % 2 ? -0.5 : -0.5 + 1 / near.length) * Math.PI;
  const at = (turn, part) => ({ x: middle[0] + reach[0] * part * Math.cos(turn), y: middle[1] + reach[1] * part * Math.sin(turn) });
  const gap = (wide - 20) / Math.max(1, far.length);
  const spots = [
    ...near.map((device, index) => {
      const turn = first + (2 * Math.PI * index) / near.length;
      return { device, ...at(turn, scale.part(device.trip)), side: Math.sin(turn) < -0.3 ? "above" : "below" };
    }),
    ...far.map((device, index) => ({
      device, y: 24, ...(gap < 150 ? { x: 20 + gap * (index + 0.5), side: "below" } : { x: wide - 24 - gap * index, side: "left" }),
    })),
  ];
  const free = near.length ? first - Math.PI / near.length : Math.PI / 2;
  svg.replaceChildren(
    ...rings(scale, middle, reach, (part) => at(free, part)), ...(strip ? farStrip(wide, strip) : []),
    ...spots.map((spot) => link(spot, middle)), station(middle, devices.length),
    ...spots.map((spot) => node(spot, wide / spots.length)));
  byID("map-list").replaceChildren(...devices.map((device) => make("li", {}, inWords(device))));
}

function inWords({ name, state, isFar, trip, rate }) {
  const way = trip === null ? "not measured yet" : `a message takes ${seconds(trip)}`;
  const speed = rate ? `, ${bits(rate)}` : "";
  return `${name}${isFar ? ", a far node" : ""}: ${mapTexts[state].toLowerCase()}, ${way}${speed}`;
}

/** Whole powers of ten around the times, at least two apart. */
function decades(devices) {
  const times = devices.map(({ trip }) => trip).filter((trip) => trip > 0).map(Math.log10);
  const low = Math.floor(Math.min(-3, ...times));
  const high = Math.max(low + 2, Math.ceil(Math.max(-2, ...times)));
  const part = (trip) => trip === null ? 1 : 0.34 + 0.66 * Math.min(1, Math.max(0, (Math.log10(Math.max(trip, 1e-9)) - low) / (high - low)));
  return { low, high, part };
}

/** Rings of equal time; `at(part)` is where a ring's text has room. */
function rings({ low, high, part }, [cx, cy], [across, down], at) {
  const shapes = [];
  for (let power = low; power <= high; power += 1) {
    const size = part(10 ** power);
    const { x, y } = at(size);
    const [time, unit] = seconds(10 ** power).split(" ");
    shapes.push(draw("ellipse", { class: "ring", cx, cy, rx: across * size, ry: down * size }));
    shapes.push(draw("text", { class: "ring-text", x, y: y + 4, "text-anchor": "middle" }, `${Number(time)} ${unit}`));
  }
  return shapes;
}

function farStrip(wide, strip) {
  return [
    draw("path", { class: "far-border", d: `M0 ${strip - 6}H${wide}` }),
    draw("text", { class: "ring-text", x: 0, y: strip - 12 }, "far nodes"),
  ];
}

function link({ device, x, y }, [baseX, baseY]) {
  // From 1.5 pixels for 1 Mbit/s to 8 for 10 Gbit/s.
  const width = device.rate ? Math.min(8, Math.max(1.5, 1.5 + 1.6 * Math.log10(device.rate / 1e6))) : 1.5;
  return draw("g", { "data-state": device.state }, draw("path", {
    class: device.trip === null && device.state !== "lost" ? "link unmeasured" : "link", d: `M${baseX} ${baseY}L${x} ${y}`, "stroke-width": width.toFixed(1) }));
}

function station([x, y]) {
  return draw("g", { class: "station" },
    draw("rect", { x: x - 17, y: y - 17, width: 34, height: 34, rx: 9 }),
    draw("path", { d: "M2 9c5-1 10 1 13 5 3-4 7-7 14-8-4 2-6 5-8 9-1 4-4 7-8 8l-6 4 3-5c-3-1-4-3-4-6 0-3-1-5-4-7z", transform: `translate(${x - 11.5} ${y - 11.5}) scale(0.74)` }),
    draw("title", {}, "base station"));
}

/** A device: its colour and letter in a ring of its state; name and figures where there is room. */
function node({ device, x, y, side }, room) {
  const { name, state, trip, rate, has } = device;
  const around = 2 * Math.PI * 15;
  const isEmpty = state === "lost" || state === "spare";
  const dot = draw("circle", { r: 10, class: "dot", cx: x, cy: y });
  dot.style.fill = isEmpty ? "none" : color(name);
  const shapes = [
    draw("circle", { r: 18, class: "plate", cx: x, cy: y }), dot,
    draw("circle", { r: 15, class: "state", cx: x, cy: y, ...(state === "loading" ? { "stroke-dasharray": `${around * has} ${around}`, transform: `rotate(-90 ${x} ${y})` } : {}) }),
  ];
  if (state === "lost") shapes.push(draw("path", { class: "cross", d: `M${x - 5} ${y - 5}l10 10m0-10l-10 10` }));
  if (!isEmpty && now.placement.devices.includes(name)) {
    shapes.push(draw("text", { class: "letter", x, y: y + 4, "text-anchor": "middle" }, letter(name)));
  }
  const hasFigures = room >= 62;
  const top = { above: y - (hasFigures ? 39 : 24), below: y + 33, left: y - 2 }[side];
  const place = side === "left" ? { x: x - 25, "text-anchor": "end" } : { x, "text-anchor": "middle" };
  const short = name.length > 14 ? `${name.slice(0, 13)}…` : name;
  if (room >= 30) shapes.push(draw("text", { class: "name", y: top, ...place }, short));
  if (hasFigures) {
    const figures = [trip === null ? "" : seconds(trip), rate ? bits(rate) : ""].filter(Boolean).join(" · ");
    const text = isEmpty || !figures ? mapTexts[state].toLowerCase() : figures;
    shapes.push(draw("text", { class: "facts", y: top + 15, ...place }, text));
  }
  return draw("g", { class: "node", "data-state": state }, ...shapes, draw("title", {}, inWords(device)));
}
new ResizeObserver(() => now.status && showMap(now.status)).observe(byID("map").parentElement);

// The plan in force, and what is on its way

const sourceTexts = { proportional: "Dealt in proportion to speed", file: "From a file", live: "Made from what was measured" };

function showPlan({ plan }) {
  const source = plan?.file ? `From ${plan.file}` : sourceTexts[plan?.source] ?? "";
  const since = plan?.since_unix_time ? `, since ${clockTime(plan.since_unix_time)}` : "";
  setText("plan-note", !plan ? "No devices may join: all experts are here."
    : !plan.since_unix_time ? "Nothing is dealt yet." : `${source}${since}${plan.under_way ? ", on its way" : ""}`);
  const figure = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
  for (const [id, part] of [["-foreseen", plan?.foreseen], ["", plan?.measured]]) {
    setText(`plan-time${id}`, seconds(part?.seconds_per_token));
    setText(`plan-trips${id}`, figure(part?.round_trips_per_token));
    setText(`plan-frames${id}`, figure(part?.frames_per_token));
  }
  const tokens = plan?.measured?.tokens;
  setText("plan-tokens", tokens
    ? `Measured over ${count(tokens)} tokens since then, prompts’ too.` : "No token was computed since then.");
  const changes = (plan?.changes ?? []).slice().reverse();
  const key = JSON.stringify(changes);
  if (byID("plan-changes").dataset.key === key) return;
  byID("plan-changes").dataset.key = key;
  byID("plan-changes").replaceChildren(...changes.map(({ unix_time, text }) => make(
    "li", {}, make("time", { dateTime: new Date(unix_time * 1000).toISOString() }, clockTime(unix_time)), make("span", {}, text))));
}

function showShipments({ devices }) {
  const given = devices.filter(({ shipment }) => shipment && shipment.done_bytes + shipment.left_bytes > 0);
  const left = given.reduce((sum, { shipment }) => sum + shipment.left_bytes, 0);
  setText("shipments-note", !given.length ? "No device was given experts." : left ? `${bytes(left)} to go` : "Everything is there.");
  byID("shipments").replaceChildren(...given.map(shipmentRow));
}

function shipmentRow({ name, shipment, shipped_bytes, cached_bytes }) {
  const { done_bytes, left_bytes, bytes_per_second, seconds_left } = shipment;
  const [total, known] = [done_bytes + left_bytes, Math.max(1, shipped_bytes + cached_bytes)];
  const done = Math.floor((100 * done_bytes) / total);
  const bar = make("div", {
    className: "bar", role: "progressbar", "aria-label": `Experts of ${name}`, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": done });
  for (const [part, value] of [["cached", cached_bytes], ["shipped", shipped_bytes]]) {
    const span = make("span", { className: part });
    span.style.width = `${((100 * done_bytes) / total) * (value / known)}%`;
    bar.append(span);
  }
  const way = left_bytes
    ? `${bytes(left_bytes)} to go, ${bytes(bytes_per_second)}/s${seconds_left === null ? "" : `, ${span(seconds_left)} left`}`
    : `${bytes(shipped_bytes)} shipped, ${bytes(cached_bytes)} cached`;
  return make("li", {}, make("p", {}, swatch(name), make("b", {}, name), ` ${bytes(done_bytes)} of ${bytes(total)}`),
    bar, make("p", { className: "note" }, way));
}

dark.addEventListener("change", () => {
  if (now.placement.layers.length) showExperts(now.placement);
  heat.draw();
  for (const view of now.status ? [showDevices, showMap, showShipments] : []) view(now.status);
  for (const token of document.querySelectorAll(".token")) {
    token.style.backgroundImage = stripes(ways.get(token).visits);
  }
});

// Chat

const conversation = byID("conversation");
let messages = [];
let asking = null;

byID("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byID("question").value.trim() || byID("question").placeholder;
  if (!asking) ask(text);
});
byID("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byID("ask").requestSubmit();
});
byID("stop").addEventListener("click", () => asking?.abort());
byID("clear").addEventListener("click", () => {
  asking?.abort();
  messages = [];
  conversation.replaceChildren(byID("hint") ?? make("p", { className: "hint" }, "Ask something."));
  choose(null);
  byID("question").focus();
});

/** A part of the conversation: who speaks, and where their text goes. */
function turn(who) {
  const text = make("div", { className: "text" });
  const element = make("div", { className: "turn" }, make("span", { className: "who" }, who), text);
  conversation.append(element);
  return { element, text };
}

async function ask(question) {
  byID("hint")?.remove();
  byID("question").value = "";
  turn("You").text.append(question);
  messages.push({ role: "user", content: question });
  const answer = turn("Model");
  asking = new AbortController();
  busy(true);
  let text = "";
  try {
    text = await stream(answer, asking.signal);
  } catch (error) {
    if (error.name !== "AbortError") {
      answer.element.classList.add("failed");
      answer.text.append(error.message);
      setText("news", error.message);
    } else {
      answer.element.append(make("p", { className: "cost" }, "Stopped."));
    }
    text = answer.text.textContent;
  }
  messages.push({ role: "assistant", content: text });
  asking = null;
  busy(false);
}

function busy(isBusy) {
  byID("send").disabled = isBusy;
  byID("stop").hidden = !isBusy;
  conversation.setAttribute("aria-busy", String(isBusy));
  if (!isBusy) choose(null);
}

/** Reads one answer; returns its text. */
async function stream(answer, signal) {
  const response = await request("/v1/chat/completions", {
    method: "POST", signal,
    body: JSON.stringify({
      messages, stream: true, stream_options: { include_usage: true }, martlet: { trace: true },
      max_tokens: Number(byID("length").value) || 96, temperature: Number(byID("temperature").value),
    }),
  });
  if (!response.ok) throw new Error((await response.json()).error.message);
  const started = performance.now();
  let [text, shown, usage] = ["", "", null];
  for await (const { data } of serverSent(response)) {
    if (data === "[DONE]") break;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new Error(chunk.error.message);
    text += chunk.choices?.[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
    if (!chunk.martlet) continue;
    addToken(answer.text, text.slice(shown.length), chunk.martlet);
    shown = text;
  }
  if (text.length > shown.length) answer.text.append(text.slice(shown.length));
  const elapsed = (performance.now() - started) / 1000;
  const tokens = usage?.completion_tokens ?? 0;
  const cost = `${count(tokens)} tokens in ${seconds(elapsed)}`;
  const wait = usage?.martlet?.first_token_seconds;
  answer.element.append(make("p", { className: "cost" }, wait ? `${cost}, the first after ${seconds(wait)}` : cost));
  setText("news", `The answer has ended: ${cost}.`);
  conversation.scrollTop = conversation.scrollHeight;
  return text;
}

/** What a token visited, by token element. */
const ways = new WeakMap();

function addToken(container, text, { visits, text: own }) {
  const token = make("span", { className: "token", tabIndex: -1, role: "button" }, text || "▫");
  if (!text.trim()) token.setAttribute("aria-label", JSON.stringify(own));
  ways.set(token, { visits, text: own });
  token.style.backgroundImage = stripes(visits);
  if (!container.querySelector(".token")) token.tabIndex = 0;
  const follows = conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight < 60;
  container.append(token);
  if (follows) conversation.scrollTop = conversation.scrollHeight;
  if (!calm.matches) {
    chosen = visits;
    grid.draw();
  }
}

/** A line whose parts are the devices' shares of the visits. */
function stripes(visits) {
  const shares = new Map();
  const all = visits.flat();
  for (const { device } of all) shares.set(device, (shares.get(device) ?? 0) + 1);
  let at = 0;
  const stops = [...shares].sort().flatMap(([device, share]) => {
    const from = at;
    at += (100 * share) / all.length;
    return [`${color(device)} ${from}%`, `${color(device)} ${at}%`];
  });
  return stops.length ? `linear-gradient(90deg, ${stops.join(", ")})` : "none";
}

/** Shows the way of a token; null shows none. */
function choose(token) {
  for (const old of conversation.querySelectorAll(".token.chosen")) old.classList.remove("chosen");
  const way = token && ways.get(token);
  chosen = way ? way.visits : null;
  byID("trace").hidden = !way;
  if (way) {
    token.classList.add("chosen");
    const items = way.visits.flatMap((visits, layer) => visits.length ? [make(
      "li", {}, make("span", { className: "way" }, `layer ${layer}: `),
      ...visits.flatMap(({ expert, device }, index) =>
        [index ? ", " : "", `${expert} `, make("span", { className: "way" }, `(${device ?? "base station"})`)]))] : []);
    byID("trace").replaceChildren(make("p", {}, make("b", {}, JSON.stringify(way.text)), " was drawn after visiting"), make("ul", {}, ...items));
  }
  grid.draw();
}

const tokenOf = (event) => event.target.closest?.(".token");
conversation.addEventListener("pointerover", (event) => {
  const token = tokenOf(event);
  if (token && !asking) choose(token);
});
conversation.addEventListener("focusin", (event) => tokenOf(event) && choose(tokenOf(event)));
conversation.addEventListener("keydown", (event) => {
  const token = tokenOf(event);
  if (event.key === "Escape") return choose(null);
  if (!token) return;
  const tokens = [...token.parentElement.querySelectorAll(".token")];
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const index = event.key === "Home" ? 0 : event.key === "End" ? tokens.length - 1
    : tokens.indexOf(token) + (steps[event.key] ?? 0);
  const next = tokens[index];
  if (!next || next === token) return;
  event.preventDefault();
  token.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

// The server

const keyName = "martlet-key";

/** Fetches with the key, if one was given; asks for one if the server wants it. */
async function request(path, options = {}) {
  const key = sessionStorage.getItem(keyName);
  const headers = { ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  if (options.body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
  if (response.status !== 401) return response;
  sessionStorage.removeItem(keyName);
  await askForKey(key !== null);
  return request(path, options);
}

let unlocking = null;

function askForKey(wasWrong) {
  if (unlocking) return unlocking;
  connection("late", "Needs a key");
  setText("lock-note", wasWrong
    ? "The server does not know that key."
    : "The key stays in this tab and is sent only to this server.");
  byID("lock").showModal();
  unlocking = new Promise((resolve) => {
    byID("unlock").addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(keyName, byID("key").value.trim());
      byID("key").value = "";
      byID("lock").close();
      unlocking = null;
      resolve();
    }, { once: true });
  });
  return unlocking;
}
byID("lock").addEventListener("cancel", (event) => event.preventDefault());

/** The events of a stream. fetch, because EventSource cannot send a key. */
async function* serverSent(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      let [name, data] = ["message", ""];
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        if (line.startsWith("data: ")) data += line.slice(6);
      }
      yield { name, data };
    }
  }
}

function show(name, message) {
  const before = now.status && JSON.stringify(now.status.devices.map(({ name, state }) => [name, state]));
  now[name] = message;
  for (const view of views[name] ?? []) view(message);
  const after = now.status && JSON.stringify(now.status.devices.map(({ name, state }) => [name, state]));
  if (name === "status" && before !== after) showExperts(now.placement);
}

/** Follows the server for as long as the page is open. */
async function follow() {
  let pause = 1;
  while (true) {
    try {
      const response = await request("/dashboard/events");
      if (!response.ok) throw new Error(`status ${response.status}`);
      pause = 1;
      for await (const { name, data } of serverSent(response)) show(name, JSON.parse(data));
    } catch (error) {
      console.info("the stream ended:", error.message);
    }
    connection("lost", "Not connected; trying again");
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    pause = Math.min(2 * pause, 10);
  }
}

follow();
