// The last hours of one or two figures as lines. A gap is a gap: nothing is drawn across it.

import { h, s } from "./dom.js";
import * as words from "./words.js";

const HEIGHT = 102;
const TOP = 8;
const BOTTOM = 18;
const LEFT = 44;
const RIGHT = 8;

export class Chart {
  /** lines: class names, one per trace; clocks: of the site; limit: a value to compare with, or null. */
  constructor(lines, clocks, limit = null) {
    this.lines = lines;
    this.clocks = clocks;
    this.limit = limit;
    this.traces = [];
    this.svg = s("svg", { role: "img" });
    this.span = h("span", "span");
    this.at = h("span", "at");
    this.root = h("figure", "chart", [this.svg, h("figcaption", "", [this.span, this.at])]);
    new ResizeObserver(() => this.draw()).observe(this.root);
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.point(null));
  }

  /** traces: per line a list of {at: ms, value: number or null}, ascending; step in ms; label: what the span is. */
  show(traces, step, label) {
    this.traces = traces;
    this.step = step;
    this.span.textContent = label;
    this.draw();
  }

  draw() {
    const width = this.root.clientWidth;
    if (!width) return;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const points = this.traces.flat();
    const values = points.map((point) => point.value).filter((value) => value !== null);
    if (!values.length) {
      const text = s("text", { x: LEFT, y: HEIGHT / 2, class: "empty" }, "no closed intervals yet");
      this.svg.replaceChildren(text);
      this.x = null;
      return;
    }
    const times = points.map((point) => point.at);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const [low, high] = domain(this.limit === null ? values : [...values, this.limit]);
    const drawn = width - LEFT - RIGHT;
    this.x = (at) => LEFT + (last === first ? drawn : ((at - first) / (last - first)) * drawn);
    this.y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    this.times = [...new Set(times)].sort((a, b) => a - b);
    this.svg.replaceChildren(
      ...this.frame(width, low, high, first, last),
      ...this.traces.flatMap((trace, i) => this.trace(trace, this.lines[i])),
    );
    this.cursor = s("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
    this.svg.append(this.cursor);
    this.svg.setAttribute("aria-label", this.summary(values));
  }

  summary(values) {
    const range = `${words.number(Math.min(...values))} to ${words.number(Math.max(...values))}`;
    return `${this.span.textContent}: from ${range}`;
  }

  frame(width, low, high, first, last) {
    const made = [];
    for (const tick of ticks(low, high)) {
      const y = this.y(tick);
      made.push(s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y, y2: y }));
      made.push(s("text", { x: LEFT - 6, y: y + 3.5, "text-anchor": "end" }, tickText(tick)));
    }
    const middle = (first + last) / 2;
    const places = width > 300 ? [[first, "start"], [middle, "middle"], [last, "end"]] : [[first, "start"], [last, "end"]];
    for (const [at, anchor] of places) {
      made.push(s("text", { x: this.x(at), y: HEIGHT - 4, "text-anchor": anchor }, this.clocks.time(at)));
    }
    if (this.limit !== null) {
      const y = this.y(this.limit);
      made.push(s("line", { class: "limit", x1: LEFT, x2: width - RIGHT, y1: y, y2: y }));
    }
    return made;
  }

  trace(trace, name) {
    let path = "";
    let before = null;
    const made = [];
    for (const [i, point] of trace.entries()) {
      if (point.value !== null) {
        const joined = before !== null && point.at - before <= 1.5 * this.step;
        path += `${joined ? "L" : "M"}${this.x(point.at).toFixed(1)} ${this.y(point.value).toFixed(1)}`;
        const alone = !joined && (trace[i + 1]?.value ?? null) === null;
        if (alone) made.push(this.dot(point, name, 1.8));
      }
      before = point.value === null ? null : point.at;
    }
    const newest = trace.findLast((point) => point.value !== null);
    made.unshift(s("path", { class: `trace ${name}`, d: path || "M0 0" }));
    if (newest) made.push(this.dot(newest, name, 3.6));
    return made;
  }

  dot(point, name, r) {
    return s("circle", { class: `dot ${name}`, cx: this.x(point.at), cy: this.y(point.value), r });
  }

  /** Say what was at the place pointed at. */
  point(event) {
    if (!this.x || !event) {
      this.cursor?.setAttribute("visibility", "hidden");
      this.at.textContent = "";
      return;
    }
    const place = event.clientX - this.svg.getBoundingClientRect().left;
    const nearest = this.times.reduce((a, b) => (Math.abs(this.x(b) - place) < Math.abs(this.x(a) - place) ? b : a));
    const values = this.traces.map((trace) => trace.find((point) => point.at === nearest)?.value ?? null);
    this.cursor.setAttribute("x1", this.x(nearest));
    this.cursor.setAttribute("x2", this.x(nearest));
    this.cursor.setAttribute("visibility", "visible");
    const told = values.map((value) => (value === null ? "–" : words.number(value))).join(" | ");
    this.at.textContent = `${this.clocks.time(nearest)}  ${told}`;
  }
}

/** The values' range, never so narrow that noise looks like news. */
function domain(values) {
  const [least, largest] = [Math.min(...values), Math.max(...values)];
  const middle = (least + largest) / 2;
  const half = Math.max((largest - least) * 0.58, Math.abs(middle) * 0.02, 1e-9);
  const low = middle - half;
  return [least >= 0 ? Math.max(0, low) : low, middle + half];
}

function ticks(low, high) {
  const rough = (high - low) / 3;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * size).find((candidate) => candidate >= rough);
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) found.push(tick);
  return found;
}

function tickText(value) {
  return value.toLocaleString("en-GB", { maximumSignificantDigits: 4 }).replaceAll(",", "\u202f");
}
