// The dashboard. The server sends two kinds of messages (GET /dashboard/events): `placement`, where
// the experts are, and `status`, everything else, about twice a second. `views` says who shows
// them; a further view (a map of the cell, experts' popularity, plans) is a section of index.html
// and a function here. Texts from the server only ever become text nodes.

const byID = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");

const views = {
  placement: [showExperts],
  status: [showModel, showFigures, showDevices, showTime, showEvents],
};

/** The latest messages. */
const now = { status: null, placement: { devices: [], layers: [] } };

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
  return `${bytes(device.memory_bytes)}, ${device.instruction_set}${shipped}`;
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

// Experts: a grid of layers and experts in the colours of the devices, the longer side across

const grid = byID("grid");
/** By layer the visits of the token that is looked at, or null. */
let chosen = null;

function showExperts(placement) {
  const names = [null, ...placement.devices];
  const homes = new Map(names.map((name) => [name, 0]));
  for (const home of placement.layers.flat()) {
    const name = home === null ? null : placement.devices[home];
    homes.set(name, homes.get(name) + 1);
  }
  const shown = names.filter((name) => homes.get(name) || name);
  byID("legend").replaceChildren(...shown.map((name) =>
    make("li", { className: isLost(name) ? "lost" : "" }, swatch(name),
      `${name ?? "base station"}: ${count(homes.get(name))}${isLost(name) ? " (lost)" : ""}`)));
  const total = placement.layers.flat().length;
  setText("grid-note", total ? `${count(total)} experts, by layer and home` : "The model has no experts.");
  if (byID("list").open) listHomes();
  drawGrid();
}

function isLost(name) {
  return now.status?.devices.some((device) => device.name === name && device.state === "lost") ?? false;
}

/** Sizes in CSS pixels: layers across where there are more of them than experts. */
function geometry() {
  const layers = now.placement.layers.length;
  const experts = Math.max(0, ...now.placement.layers.map((layer) => layer.length));
  const layersAcross = layers > experts;
  const [across, down] = layersAcross ? [layers, experts] : [experts, layers];
  const room = grid.parentElement.clientWidth - 32;
  const widest = room / Math.max(1, across);
  const height = Math.max(1, Math.min(widest, 30, 420 / Math.max(1, down)));
  const size = Math.max(1, Math.min(widest, 3 * height));
  return { layers, experts, layersAcross, across, down, size, height };
}

function drawGrid() {
  const { layersAcross, across, down, size, height } = geometry();
  const scale = devicePixelRatio || 1;
  const [width, tall] = [across * size, down * height];
  grid.style.width = `${width}px`;
  grid.style.height = `${tall}px`;
  grid.hidden = !across;
  grid.width = Math.round(width * scale);
  grid.height = Math.round(tall * scale);
  setText("axis", !across ? "" : layersAcross ? "Across: layers. Down: experts." : "Across: experts. Down: layers.");
  const context = grid.getContext("2d");
  context.scale(scale, scale);
  const style = getComputedStyle(document.documentElement);
  const [ink, bad] = ["--ink", "--bad"].map((name) => style.getPropertyValue(name).trim());
  const colors = new Map([null, ...now.placement.devices].map((name) => [name, color(name)]));
  const lost = new Set(now.placement.devices.filter(isLost));
  const gap = Math.min(size, height) > 6 ? 2 : Math.min(size, height) > 3 ? 1 : 0;
  now.placement.layers.forEach((layer, l) => layer.forEach((home, e) => {
    const name = home === null ? null : now.placement.devices[home];
    const visit = chosen?.[l]?.find((visit) => visit.expert === e);
    const [x, y] = layersAcross ? [l * size, e * height] : [e * size, l * height];
    const box = [x + gap / 2, y + gap / 2, size - gap, height - gap];
    context.globalAlpha = chosen && !visit ? 0.22 : 1;
    context.fillStyle = visit ? colors.get(visit.device) ?? color(visit.device) : colors.get(name);
    if (lost.has(name) && !visit) context.globalAlpha *= 0.25;
    context.beginPath();
    context.roundRect(...box, gap);
    context.fill();
    context.globalAlpha = 1;
    if (lost.has(name)) outline(context, box, bad, true);
    if (visit) outline(context, box, ink, false);
  }));
}

function outline(context, [x, y, width, height], style, isCrossed) {
  if (Math.min(width, height) < 4) return;
  context.strokeStyle = style;
  context.lineWidth = isCrossed ? 1.25 : 1.75;
  context.beginPath();
  context.roundRect(x + 0.75, y + 0.75, width - 1.5, height - 1.5, 1.5);
  if (isCrossed) {
    context.moveTo(x + 3, y + height - 3);
    context.lineTo(x + width - 3, y + 3);
  }
  context.stroke();
}

function listHomes() {
  const items = now.placement.layers.flatMap((layer, index) => {
    const groups = new Map();
    layer.forEach((home, expert) => {
      const name = home === null ? "base station" : now.placement.devices[home];
      groups.set(name, [...(groups.get(name) ?? []), expert]);
    });
    const text = [...groups].map(([name, experts]) => `${name}: ${experts.join(", ")}`).join("; ");
    return [make("dt", {}, `Layer ${index}`), make("dd", {}, text || "no experts")];
  });
  byID("homes").replaceChildren(...items);
}

grid.addEventListener("pointermove", (event) => {
  const { layersAcross, size, height } = geometry();
  const [column, line] = [Math.floor(event.offsetX / size), Math.floor(event.offsetY / height)];
  const [layer, expert] = layersAcross ? [column, line] : [line, column];
  const home = now.placement.layers[layer]?.[expert];
  if (home === undefined) return;
  setText("axis", `Layer ${layer}, expert ${expert}: ${home === null ? "base station" : now.placement.devices[home]}`);
});
grid.addEventListener("pointerleave", drawGrid);
byID("list").addEventListener("toggle", () => byID("list").open && listHomes());
new ResizeObserver(drawGrid).observe(grid.parentElement);
dark.addEventListener("change", () => {
  seen.length && showExperts(now.placement);
  now.status && showDevices(now.status);
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
    drawGrid();
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
  drawGrid();
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
