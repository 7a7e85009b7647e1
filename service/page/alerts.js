// The open alerts of a site: what fires, since when, what it costs, who has seen it.
//
// They are asked for every few seconds, for they are few and change seldom. Whoever may operate acknowledges here;
// everything else that can be done about an alert is left to the API.

import { h, say } from "./dom.js";
import { get, post } from "./feed.js";
import * as words from "./words.js";

const EVERY_MS = 2000;
/** Without an answer for so long, what is shown is said to be old. */
const OLD_MS = 15000;
const MOST = 50;
const SEVERITIES = ["critical", "warning", "info"];

let made = 0;

export class Alerts {
  /** session: {name, scopes} as the API tells them. */
  constructor(plant, session, clocks) {
    this.plant = plant;
    this.clocks = clocks;
    this.refusal = mayOperate(session, plant.id) ? null : `Key ${session.name} may only look: acknowledging takes the scope operate.`;
    this.items = new Map();
    this.askedAt = -Infinity;
    this.heardAt = null;
    this.asked = 0;
    this.heard = 0;
    this.more = false;
    this.heading = h("h3", "", "Alerts");
    this.heading.tabIndex = -1;
    this.heading.id = `alerts-${(made += 1)}`;
    this.note = h("p", "note");
    this.list = h("ul", "alert-list");
    this.card = h("section", "alerts", [h("header", "alerts-head", [this.heading, this.note]), this.list]);
    this.card.setAttribute("aria-labelledby", this.heading.id);
    this.card.hidden = true;
    // Outside of what is hidden, and there before anything is said, or it is not read out.
    this.told = h("p", "unseen");
    this.told.setAttribute("role", "status");
    this.root = h("div", "", [this.told, this.card]);
  }

  /** Ask, if it is time to. */
  async ask(now) {
    if (performance.now() - this.askedAt < EVERY_MS) return;
    this.askedAt = performance.now();
    const turn = (this.asked += 1);
    try {
      const page = await get(`/v1/alerts?site=${encodeURIComponent(this.plant.id)}&state=firing&limit=${MOST}`);
      if (turn < this.heard) return; // overtaken by a later one
      this.heard = turn;
      this.hear(page);
      this.heardAt = now;
    } catch {
      // The connection says what is wrong; how old the alerts are is said below.
    }
    this.describe(now);
  }

  hear(page) {
    const first = this.heardAt === null;
    const said = [];
    const open = new Set(page.items.map((alert) => alert.episode));
    for (const [episode, item] of this.items) {
      if (open.has(episode)) continue;
      said.push(`Resolved: ${item.alert.rule}`);
      this.remove(episode, item);
    }
    for (const alert of page.items) {
      const item = this.items.get(alert.episode) ?? new Item(alert, this.clocks, this.refusal);
      const fresh = !this.items.has(alert.episode);
      const told = isTold(alert) && (fresh || !isTold(item.alert));
      if (told && !first) said.push(`${words.severity(alert.severity)}: ${alert.cause}`);
      if (!fresh) item.show(alert);
      this.items.set(alert.episode, item);
      if (fresh || told) this.place(item);
    }
    this.more = page.next !== null;
    if (said.length) say(this.told, said.join(" "));
  }

  place(item) {
    const behind = [...this.items.values()].filter((other) => other !== item && before(item.alert, other.alert));
    const roots = new Set(behind.map((other) => other.root));
    this.list.insertBefore(item.root, [...this.list.children].find((element) => roots.has(element)) ?? null);
  }

  remove(episode, item) {
    if (item.root.contains(document.activeElement)) this.heading.focus();
    item.root.remove();
    this.items.delete(episode);
  }

  describe(now) {
    const alerts = [...this.items.values()].map((item) => item.alert);
    const old = this.heardAt === null ? "alerts not known yet" : now - this.heardAt > OLD_MS ? `as known at ${this.clocks.time(this.heardAt)}` : "";
    const unseen = alerts.filter((alert) => alert.acknowledged_at === null).length;
    const count = `${alerts.length}${this.more ? " newest" : ""} open, ${unseen} not acknowledged`;
    say(this.note, [alerts.length ? count : "", old].filter(Boolean).join("; "));
    this.card.hidden = !alerts.length && !old;
  }
}

/** One alert that is open. */
class Item {
  constructor(alert, clocks, refusal) {
    this.clocks = clocks;
    this.refusal = refusal;
    // One for the whole life of the item: sent again after a lost answer, it is the same act.
    this.key = random();
    this.severity = h("span", "severity");
    this.amount = h("span", "amount");
    this.since = h("span", "since");
    this.muted = h("span", "muted");
    this.cause = h("p", "cause");
    this.advice = h("p", "advice");
    this.stake = h("p", "stake");
    this.seen = h("span", "seen");
    this.button = h("button", "ack", "Acknowledge");
    this.button.type = "button";
    this.button.addEventListener("click", () => this.acknowledge());
    this.fault = h("p", "refusal");
    this.fault.setAttribute("role", "alert");
    this.root = h("li", "alert", [
      h("p", "alert-line", [this.severity, this.amount, this.since, this.muted]),
      this.cause,
      this.advice,
      this.stake,
      h("p", "alert-line", [this.seen, this.button]),
      this.fault,
    ]);
    this.root.tabIndex = -1;
    this.root.dataset.episode = alert.episode;
    this.show(alert);
  }

  show(alert) {
    // An answer that was on its way does not take back what was acknowledged meanwhile.
    if (this.alert?.acknowledged_at && !alert.acknowledged_at) return;
    this.alert = alert;
    this.root.dataset.severity = alert.severity;
    this.root.dataset.acknowledged = alert.acknowledged_at !== null;
    say(this.severity, words.severity(alert.severity));
    say(this.amount, words.compared(alert));
    say(this.since, `since ${this.clocks.full(Date.parse(alert.fired_at))}`);
    this.since.title = alert.fired_at;
    say(this.muted, isTold(alert) ? "" : words.mute(alert.mute));
    say(this.cause, alert.cause);
    say(this.advice, alert.advice ?? "");
    say(this.stake, words.atStake(alert.at_stake));
    say(this.seen, this.seenText(alert));
    this.seen.title = alert.acknowledged_at === null ? (this.refusal ?? "") : "";
    const hidden = alert.acknowledged_at !== null || this.refusal !== null;
    if (hidden && document.activeElement === this.button) this.root.focus();
    this.button.hidden = hidden;
    this.button.setAttribute("aria-label", `Acknowledge ${alert.rule}`);
    if (alert.acknowledged_at !== null) say(this.fault, "");
  }

  seenText(alert) {
    const seen =
      alert.acknowledged_at === null
        ? "not acknowledged"
        : `acknowledged by ${alert.acknowledged_by} at ${this.clocks.time(Date.parse(alert.acknowledged_at))}`;
    return alert.assignee ? `${seen}, assigned to ${alert.assignee}` : seen;
  }

  async acknowledge() {
    if (this.button.getAttribute("aria-disabled") === "true") return;
    // Not `disabled`, which would take the focus away.
    this.button.setAttribute("aria-disabled", "true");
    say(this.fault, "");
    try {
      this.show(await post(`/v1/alerts/${encodeURIComponent(this.alert.episode)}/ack`, this.key));
    } catch (error) {
      say(this.fault, `Not acknowledged: ${error.message}`);
    }
    this.button.setAttribute("aria-disabled", "false");
  }
}

function mayOperate(session, site) {
  return session.scopes.some((scope) => {
    const [name, where] = scope.split("@");
    return (name === "operate" || name === "admin") && (where === undefined || where === site);
  });
}

/** Whether people were told of it, at once or later. */
function isTold(alert) {
  return alert.told_at !== null;
}

/** Whether an alert stands before another: what people were told of, then the worse, then the newer. */
function before(alert, other) {
  const rank = (one) => (isTold(one) ? 0 : SEVERITIES.length) + SEVERITIES.indexOf(one.severity);
  const since = (one) => Date.parse(one.fired_at);
  return rank(alert) === rank(other) ? since(alert) > since(other) : rank(alert) < rank(other);
}

/** An Idempotency-Key; randomUUID is there over TLS only. */
function random() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
