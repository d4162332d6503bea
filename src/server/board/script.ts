/** What runs in the browser: plain JavaScript, so that nobody has to build anything. */
export const BOARD_SCRIPT = `"use strict";
const $ = (id) => document.getElementById(id);
const text = (tag, value, name) => {
  const node = document.createElement(tag);
  node.textContent = value;
  if (name) node.className = name;
  return node;
};
const svg = (tag, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};
const time = (s) => (s < 60 ? Math.round(s) + " s" : s < 3600 ? Math.round(s / 60) + " min" : (s / 3600).toFixed(1) + " h");
const COLUMNS = [
  ["run", (r) => r.run], ["model", (r) => r.model], ["state", (r) => r.state], ["epochs", (r) => r.epochs],
  ["metric", (r) => r.metric], ["value", (r) => (r.value === null ? "\\u2013" : r.value.toFixed(4))],
  ["time", (r) => time(r.seconds)], ["ended", (r) => new Date(r.time * 1000).toISOString().slice(0, 16).replace("T", " ")],
];
const KEYS = { time: "seconds", ended: "time" };
const rows = new Map();
let order = { key: "time", down: true };

function showRuns() {
  const wanted = $("filter").value.toLowerCase().split(/\\s+/).filter(Boolean);
  const shown = [...rows.values()].filter((r) => wanted.every((w) => (r.run + " " + r.model + " " + r.state).toLowerCase().includes(w)));
  const sign = order.down ? -1 : 1;
  shown.sort((a, b) => {
    const [x, y] = [a[order.key], b[order.key]];
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (typeof x === "number" ? x - y : String(x).localeCompare(String(y)));
  });
  $("count").textContent = shown.length + " of " + rows.size + " runs";
  $("rows").replaceChildren(...shown.map((r) => {
    const line = document.createElement("tr");
    COLUMNS.forEach(([name, of], index) => {
      const cell = text("td", index === 0 ? "" : String(of(r)), ["epochs", "value"].includes(name) ? "number" : "");
      if (index === 0) {
        const link = text("a", of(r));
        link.href = "/run?path=" + encodeURIComponent(r.run);
        cell.append(link);
      }
      line.append(cell);
    });
    line.className = r.state;
    return line;
  }));
}

function startRuns() {
  $("head").replaceChildren(...COLUMNS.map(([name]) => {
    const button = text("button", name);
    button.onclick = () => {
      const key = KEYS[name] || name;
      order = { key, down: order.key === key ? !order.down : true };
      showRuns();
    };
    const cell = document.createElement("th");
    cell.append(button);
    return cell;
  }));
  $("filter").oninput = showRuns;
  live(({ rows: changed, sweeps }) => {
    for (const row of changed) rows.set(row.run, row);
    $("of-sweeps").hidden = sweeps.length === 0;
    $("sweeps").replaceChildren(...sweeps.map((path) => {
      const link = text("a", path);
      link.href = "/sweep?path=" + encodeURIComponent(path);
      const item = document.createElement("li");
      item.append(link);
      return item;
    }));
    showRuns();
  });
}

function live(take) {
  const source = new EventSource("/api/live");
  source.addEventListener("runs", (event) => {
    $("live").textContent = "live";
    take(JSON.parse(event.data));
  });
  source.onerror = () => { $("live").textContent = "not connected"; };
}

function chart(title, series, epochs) {
  const [W, H, L, B] = [430, 240, 64, 26];
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  const figure = document.createElement("figure");
  figure.append(text("figcaption", title));
  if (values.length === 0) return figure;
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const x = (e) => L + ((e - 1) / Math.max(1, epochs - 1)) * (W - L - 10);
  const y = (v) => H - B - ((v - low) / (high - low)) * (H - B - 12);
  const root = svg("svg", { viewBox: "0 0 " + W + " " + H, width: W, role: "img", "aria-label": title });
  for (const share of [0, 0.5, 1]) {
    const v = low + share * (high - low);
    root.append(svg("line", { x1: L, x2: W - 10, y1: y(v), y2: y(v), class: "grid" }));
    const label = svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" });
    label.textContent = v.toPrecision(3);
    root.append(label);
  }
  for (const e of [...new Set([1, epochs])]) {
    const label = svg("text", { x: x(e), y: H - 6, "text-anchor": "middle" });
    label.textContent = e;
    root.append(label);
  }
  series.forEach(({ name, points }, index) => {
    root.append(svg("polyline", { points: points.map(([e, v]) => x(e) + "," + y(v)).join(" "), class: "line s" + index }));
    for (const [e, v] of points) root.append(svg("circle", { cx: x(e), cy: y(v), r: 2.5, class: "dot s" + index }));
    const label = svg("text", { x: W - 12, y: 14 + 14 * index, "text-anchor": "end", class: "name s" + index });
    label.textContent = name;
    root.append(label);
  });
  figure.append(root);
  return figure;
}

async function startRun() {
  const path = new URLSearchParams(location.search).get("path");
  const show = async () => {
    const { row, history, settings, epochs } = await (await fetch("/api/run?path=" + encodeURIComponent(path))).json();
    $("state").textContent = row.state + ", " + row.model + ", " + history.length + " of " + epochs + " epochs, " + time(row.seconds);
    const of = (pick) => history.map((r) => [r.epoch, pick(r)]).filter(([, v]) => typeof v === "number");
    $("curves").replaceChildren(
      chart("loss", [{ name: "training", points: of((r) => r.loss) }, { name: "validation", points: of((r) => r.valLoss) }], epochs),
      chart(row.metric + " on validation", [{ name: row.metric, points: of((r) => r.metrics[row.metric]) }], epochs),
      chart("learning rate", [{ name: "rate", points: of((r) => r.learningRate) }], epochs),
    );
    const list = (entries) => entries.map(([name, value]) => {
      const line = document.createElement("tr");
      line.append(text("td", name), text("td", typeof value === "number" ? String(+value.toPrecision(6)) : JSON.stringify(value)));
      return line;
    });
    $("metrics").replaceChildren(...list(Object.entries(row.metrics)));
    $("settings").replaceChildren(...list(Object.entries(settings)));
  };
  await show();
  live(({ rows: changed }) => { if (changed.some(({ run }) => run === path)) show(); });
}

if ($("rows")) startRuns();
else if ($("curves")) startRun();
`;
