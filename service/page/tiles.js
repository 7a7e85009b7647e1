// The pieces of a site: a figure, a pair of figures, demand against contract, the table of the rest.

import { Chart } from "./chart.js";
import { h, say } from "./dom.js";
import * as words from "./words.js";

/** What is shown of a figure; data too old by our own clock is too old, whatever was said last. */
function current(figure, kpi, now) {
  if (!figure) return { value: null, reason: "no_data", quality: "bad" };
  const old = kpi.stale_after_s !== null && figure.to !== null && now - Date.parse(figure.to) > kpi.stale_after_s * 1000;
  return old ? { ...figure, value: null, reason: "stale" } : figure;
}

/** One figure in large type with how far it can be trusted. */
class Readout {
  constructor(kpi, route) {
    this.kpi = kpi;
    this.number = h("span", "number", "–");
    this.now = h("p", "now", [this.number, h("span", "unit", words.unit(kpi))]);
    this.reason = h("span", "reason");
    this.quality = h("span", "quality");
    this.share = h("span", "share");
    const label = route && h("p", "route", route);
    if (label) label.dataset.route = route;
    this.root = h("div", "readout", [label, this.now, h("p", "trust", [this.reason, this.quality, this.share])]);
    this.now.dataset.id = kpi.id;
    this.now.dataset.window = kpi.windows[0];
  }

  show(figure, now) {
    const shown = current(figure, this.kpi, now);
    const none = shown.value === null;
    say(this.number, none ? "–" : words.number(shown.value));
    this.now.dataset.null = none;
    this.now.dataset.value = none ? "" : String(shown.value);
    this.now.title = none ? "" : `${shown.value} ${this.kpi.unit}`;
    say(this.reason, none ? words.reason(shown.reason) : "");
    say(this.quality, none ? "" : words.quality(shown.quality));
    this.quality.dataset.quality = shown.quality;
    say(this.share, shown.valid_share === undefined || none ? "" : `${words.percent(shown.valid_share)} valid`);
    return shown;
  }
}

/** The longer windows of a figure, in one line. */
class Windows {
  constructor(kpi) {
    this.kpi = kpi;
    this.values = kpi.windows.slice(1).map((name) => [name, h("dd", "", "–")]);
    this.root = h("dl", "windows", this.values.map(([name, value]) => h("div", "", [h("dt", "", words.span(name)), value])));
  }

  show(figures, now) {
    for (const [name, element] of this.values) {
      const shown = current(figures.get(`${this.kpi.id} ${name}`), this.kpi, now);
      say(element, shown.value === null ? words.reason(shown.reason) : words.number(shown.value));
    }
  }
}

/** A tile with one figure, or with what was measured beside what was calculated. */
export class Tile {
  constructor(title, kpis, clocks, note = "") {
    this.kpis = kpis;
    const paired = kpis.length > 1;
    this.readouts = kpis.map((kpi) => new Readout(kpi, kpi.route));
    this.windows = paired ? [] : [new Windows(kpis[0])];
    this.chart = new Chart(kpis.map((kpi) => kpi.route ?? "energy"), clocks);
    this.difference = paired ? h("p", "difference") : null;
    this.root = h("section", "tile", [
      h("h3", "", title),
      h("p", "note", `${words.span(kpis[0].windows[0])}${note ? `, ${note}` : ""}`),
      h("div", paired ? "readouts pair" : "readouts", this.readouts.map((readout) => readout.root)),
      this.difference,
      ...this.windows.map((windows) => windows.root),
      this.chart.root,
    ]);
  }

  show(figures, now) {
    const shown = this.readouts.map((readout) =>
      readout.show(figures.get(`${readout.kpi.id} ${readout.kpi.windows[0]}`), now),
    );
    for (const windows of this.windows) windows.show(figures, now);
    if (this.difference) say(this.difference, differenceText(shown.map((figure) => figure.value)));
  }
}

function differenceText([measured, calculated]) {
  if (measured === null || calculated === null || !calculated) return "two accounts of the same gas, never added";
  const share = (measured - calculated) / calculated;
  const sign = share < 0 ? "−" : "+";
  return `measured ${sign}${(Math.abs(share) * 100).toFixed(2)}\u202f% against calculated`;
}

/** Demand of the running block against the contract. */
export class DemandTile {
  constructor(kpi, clocks) {
    this.kpis = [kpi];
    this.clocks = clocks;
    this.readout = new Readout(kpi, null);
    this.fill = h("div", "fill");
    this.gauge = h("div", "gauge", [this.fill]);
    this.text = h("p", "note");
    this.room = h("p", "note room");
    this.block = h("p", "note");
    this.chart = new Chart(["energy"], clocks, kpi.contract);
    if (kpi.contract !== null) {
      const mark = h("div", "contract");
      mark.style.left = `${100 / 1.2}%`;
      this.gauge.append(mark);
    }
    this.gauge.hidden = kpi.contract === null;
    this.root = h("section", "tile", [
      h("h3", "", words.title(kpi)),
      this.block,
      h("div", "readouts", [this.readout.root]),
      this.gauge,
      this.text,
      this.room,
      this.chart.root,
    ]);
  }

  /** What the running block comes to, and what may still be drawn in it. */
  tell(demand) {
    say(this.room, demand ? roomText(demand, this.clocks) : "");
    this.room.dataset.over = Boolean(demand?.announced);
    this.room.dataset.mayDraw = demand?.may_draw ?? "";
  }

  show(figures, now) {
    const kpi = this.kpis[0];
    const shown = this.readout.show(figures.get(`${kpi.id} ${kpi.windows[0]}`), now);
    say(this.block, shown.from ? `block since ${this.clocks.time(Date.parse(shown.from))}` : words.span(kpi.block));
    if (kpi.contract === null) return;
    const share = shown.value === null ? 0 : shown.value / kpi.contract;
    // The bar ends at 1.2 times the contract, so that going over it can be seen.
    this.fill.style.width = `${Math.min(share / 1.2, 1) * 100}%`;
    this.gauge.dataset.over = share > 1;
    const contract = `${words.number(kpi.contract)} ${kpi.unit} contracted`;
    say(this.text, shown.value === null ? contract : `${words.percent(share)} of ${contract}`);
  }
}

function roomText(demand, clocks) {
  if (demand.value === null) return `no projection: ${words.reason(demand.reason)}`;
  const projected = `projected ${words.number(demand.value)} ${demand.unit} at ${clocks.time(Date.parse(demand.ends))}`;
  if (demand.may_draw === null) return projected;
  if (demand.may_draw === 0) return `contract exceeded; ${projected}`;
  const room = `${words.number(demand.may_draw)} ${demand.unit} may still be drawn`;
  if (demand.exceeds_in_s === null) return `${room}; ${projected}`;
  return `${room}; ${projected}; contract drawn in ${words.age(demand.exceeds_in_s)}`;
}

/** Every other figure in every window. */
export class Others {
  constructor(kpis) {
    const names = [...new Set(kpis.flatMap((kpi) => kpi.windows))];
    names.sort((a, b) => words.spanSeconds(a) - words.spanSeconds(b));
    this.cells = [];
    const rows = kpis.map((kpi) => this.row(kpi, names));
    const head = h("tr", "", [h("th", "", "Figure"), ...names.map((name) => h("th", "", words.span(name)))]);
    this.root = h("table", "others", [h("thead", "", [head]), h("tbody", "", rows)]);
  }

  row(kpi, names) {
    const basis = kpi.basis.length ? h("span", "basis", ` ${kpi.basis.join(", ").replaceAll("_", " ")}`) : null;
    const title = h("th", "", [
      document.createTextNode(`${words.title(kpi)} `),
      h("span", "unit", words.unit(kpi)),
      basis,
    ]);
    title.scope = "row";
    const cells = names.map((name) => {
      const cell = h("td");
      cell.dataset.label = words.span(name);
      if (kpi.windows.includes(name)) {
        cell.dataset.id = kpi.id;
        cell.dataset.window = name;
        this.cells.push([kpi, name, cell]);
      }
      return cell;
    });
    return h("tr", "", [title, ...cells]);
  }

  show(figures, now) {
    for (const [kpi, name, cell] of this.cells) {
      const shown = current(figures.get(`${kpi.id} ${name}`), kpi, now);
      const none = shown.value === null;
      say(cell, none ? words.reason(shown.reason) : words.number(shown.value));
      cell.dataset.null = none;
      cell.dataset.value = none ? "" : String(shown.value);
      cell.dataset.quality = shown.quality;
      cell.title = none ? "" : `${shown.value} ${kpi.unit}, ${words.percent(shown.valid_share)} valid`;
    }
  }
}
