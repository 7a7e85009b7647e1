// One site: which figures get a tile, how fresh they are, and their last hours.

import { Alerts } from "./alerts.js";
import { h, say } from "./dom.js";
import { get } from "./feed.js";
import { DemandTile, Others, Tile } from "./tiles.js";
import * as words from "./words.js";

const HISTORY_EVERY_MS = 5000;
const DEMAND_EVERY_MS = 5000;

export class Site {
  constructor(plant, kpis, session) {
    this.plant = plant;
    this.replay = plant.clock === "replay";
    this.figures = new Map();
    this.state = null;
    this.askedAt = -Infinity;
    this.demandAskedAt = -Infinity;
    this.newest = "";
    const clocks = words.clocks(plant.time_zone);
    this.clocks = clocks;
    this.freshness = h("p", "freshness");
    const badge = this.replay && h("span", "badge", "replay");
    if (badge) badge.title = "recorded data; event time shown";
    const { tiles, others } = arranged(kpis, clocks);
    this.tiles = tiles;
    this.others = others.length ? new Others(others) : null;
    this.alerts = new Alerts(plant, session, clocks);
    this.root = h("section", "site", [
      h("header", "site-head", [h("h2", "", plant.name), badge, this.freshness]),
      this.alerts.root,
      h("div", "tiles", tiles.map((tile) => tile.root)),
      this.others?.root,
    ]);
    this.root.dataset.site = plant.id;
  }

  hear(items) {
    for (const figure of items) this.figures.set(`${figure.id} ${figure.window}`, figure);
    // A newer plan may have other figures and names.
    if (items.some((figure) => figure.plan_version > this.plant.plan_version)) location.reload();
  }

  /** Everything as of `now`, ms of the server's clock. */
  show(now) {
    for (const tile of this.tiles) tile.show(this.figures, now);
    this.others?.show(this.figures, now);
    this.tellAge(now);
    this.askHistory();
    this.askDemand();
    this.alerts.ask(now);
  }

  /** Fetch what may still be drawn in the running block, every few seconds. */
  async askDemand() {
    const tiles = this.tiles.filter((tile) => tile instanceof DemandTile);
    if (!tiles.length || performance.now() - this.demandAskedAt < DEMAND_EVERY_MS) return;
    this.demandAskedAt = performance.now();
    try {
      const { items } = await get(`/v1/demand?site=${this.plant.id}`);
      for (const tile of tiles) tile.tell(items.find((demand) => demand.id === tile.kpis[0].id));
    } catch {
      for (const tile of tiles) tile.tell(null); // the connection says what is wrong
    }
  }

  tellAge(now) {
    const ends = [...this.figures.values()].map((figure) => figure.to).filter(Boolean);
    const horizon = Math.max(...ends.map((to) => Date.parse(to)));
    if (this.replay) {
      const received = this.state?.committed_at ? `, received ${words.age((now - Date.parse(this.state.committed_at)) / 1000)} ago` : "";
      const shown = ends.length ? `event time ${this.clocks.full(horizon)}${received}` : "nothing received yet";
      say(this.freshness, `recorded data; ${shown}`);
      return;
    }
    if (!ends.length) {
      say(this.freshness, "no data yet");
      return;
    }
    const seconds = (now - horizon) / 1000;
    say(this.freshness, `data ${words.age(seconds)} old`);
    this.freshness.dataset.seconds = Math.floor(seconds);
    this.freshness.dataset.old = seconds > 60;
  }

  /** Fetch the last hours when the figures have moved on, at most every few seconds. */
  async askHistory() {
    const newest = [...this.figures.values()].reduce((last, figure) => (figure.to > last ? figure.to : last), "");
    const moved = newest.slice(0, 16) !== this.newest.slice(0, 16);
    if (!newest || !moved || performance.now() - this.askedAt < HISTORY_EVERY_MS) return;
    this.askedAt = performance.now();
    this.newest = newest;
    try {
      await Promise.all(this.tiles.map((tile) => history(tile, newest)));
    } catch {
      this.newest = ""; // the connection says what is wrong; ask again later
    }
  }
}

async function history(tile, newest) {
  const step = tile.kpis[0].windows[0];
  const stepSeconds = words.spanSeconds(step);
  const hours = stepSeconds <= 300 ? 6 : 24;
  const end = Math.floor(Date.parse(newest) / 1000 / stepSeconds) * stepSeconds;
  const query = `from=${instant(end - hours * 3600)}&to=${instant(end)}&window=${step}&step=${step}`;
  const answers = await Promise.all(tile.kpis.map((kpi) => get(`/v1/kpis/${kpi.id}/series?${query}`)));
  const traces = answers.map(({ columns }) =>
    columns.to.map((to, i) => ({ at: Date.parse(to), value: columns.value[i] })),
  );
  tile.chart.show(traces, stepSeconds * 1000, `last ${hours}\u202fh, every ${words.span(step)}`);
}

function instant(seconds) {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/** What gets a tile: power, demand, energy per product, CO2 flow, CO2 per product; the rest goes into the table. */
function arranged(kpis, clocks) {
  const left = new Set(kpis);
  const take = (found) => {
    for (const kpi of found) left.delete(kpi);
    return found;
  };
  const first = (wanted) => take(kpis.filter((kpi) => left.has(kpi) && wanted(kpi)).slice(0, 1));
  const tiles = [];
  for (const kpi of first((kpi) => kpi.kind === "rate" && kpi.unit === "kW")) tiles.push(new Tile(words.title(kpi), [kpi], clocks));
  for (const kpi of first((kpi) => kpi.kind === "demand")) tiles.push(new DemandTile(kpi, clocks));
  for (const kpi of first((kpi) => kpi.kind === "ratio" && kpi.unit.startsWith("kWh/"))) tiles.push(new Tile(words.title(kpi), [kpi], clocks));
  // Of several kgce figures the one that counts most carriers.
  const kgce = kpis.filter((kpi) => kpi.unit.startsWith("kgce/")).sort((a, b) => b.numerator.length - a.numerator.length);
  for (const kpi of take(kgce.slice(0, 1))) {
    tiles.push(new Tile(words.title(kpi), [kpi], clocks, kpi.basis.join(", ").replaceAll("_", " ")));
  }
  for (const kind of ["rate", "ratio"]) {
    const pair = accounts(kpis, kind);
    if (pair.length) tiles.push(new Tile(kind === "rate" ? "CO₂ flow" : "CO₂ per product", take(pair), clocks));
  }
  return { tiles, others: kpis.filter((kpi) => left.has(kpi)) };
}

/** What was measured and what was calculated of the same thing; else the one there is. */
function accounts(kpis, kind) {
  const carbon = kpis.filter((kpi) => kpi.kind === kind && kpi.route);
  const same = (kpi) => kpi.id.replace(/-?(measured|calculated)/, "");
  for (const measured of carbon.filter((kpi) => kpi.route === "measured")) {
    const calculated = carbon.find((kpi) => kpi.route === "calculated" && kpi.unit === measured.unit && same(kpi) === same(measured));
    if (calculated) return [measured, calculated];
  }
  return carbon.slice(0, 1);
}
