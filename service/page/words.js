// Numbers, times and words as people read them. Rounding happens here and nowhere before.

const NARROW_SPACE = "\u202f";

const REASONS = {
  no_production: "no production",
  gap: "gap in the data",
  stale: "data too old",
  zero_over_zero: "nothing drawn",
  no_data: "no data yet",
  no_factor: "no emission factor",
  no_analysis: "no laboratory analysis",
  no_contract: "nothing contracted",
  no_price: "no price",
  ended: "block complete",
};

const QUALITIES = { uncertain: "uncertain", substituted: "partly substituted", bad: "bad data" };

const SEVERITIES = { critical: "Critical", warning: "Warning", info: "Notice" };

/** Why people were not told of an alert at once. */
const MUTES = {
  historical: "found in late data",
  silenced: "silenced",
  parent: "part of another alert",
  dampened: "comes and goes",
};

/** A value to four or more significant digits; whole numbers from a thousand on. */
export function number(value) {
  const size = Math.abs(value);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
  return value
    .toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replaceAll(",", NARROW_SPACE);
}

export function percent(share) {
  // 99.96 % must not read as 100 %.
  const shown = share < 1 && share > 0.999 ? ">99.9" : (share * 100).toFixed(share < 0.1 || (share > 0.99 && share < 1) ? 1 : 0);
  return `${shown.replace(/\.0$/, "")}${NARROW_SPACE}%`;
}

export function reason(name) {
  return REASONS[name] ?? name;
}

export function quality(name) {
  return QUALITIES[name] ?? "";
}

export function severity(name) {
  return SEVERITIES[name] ?? name;
}

export function mute(name) {
  return MUTES[name] ?? name;
}

/** What an alert compared: the value against its limit; of states the cause says it. */
export function compared({ kind, value, limit, comparison, unit: of }) {
  if (kind === "state" || value === null) return "";
  const said = { absence: age, quality: percent }[kind] ?? ((amount) => withUnit(amount, of));
  return limit === null ? said(value) : `${said(value)}, ${comparison === "below" ? "below" : "above"} ${said(limit)}`;
}

/** What an alert costs, as far as it is known. */
export function atStake({ energy_kwh: energy, co2_t: co2, money, currency }) {
  const known = [
    [energy, "kWh"],
    [co2, "t CO₂"],
    [money, currency],
  ].filter(([amount]) => amount !== null);
  return known.length ? `at stake: ${known.map(([amount, of]) => withUnit(amount, of)).join(", ")}` : "";
}

function withUnit(amount, of) {
  return of === "1" ? number(amount) : `${number(amount)} ${of}`;
}

/** "5min" as "5 min". */
export function span(text) {
  return text.replace(/^(\d+)([a-z]+)$/, `$1${NARROW_SPACE}$2`);
}

export function spanSeconds(text) {
  const [, count, unit] = /^(\d+)(s|min|h|d)$/.exec(text);
  return Number(count) * { s: 1, min: 60, h: 3600, d: 86400 }[unit];
}

/** How long ago, growing coarser. */
export function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}${NARROW_SPACE}s`;
  if (s < 3600) return `${Math.floor(s / 60)}${NARROW_SPACE}min ${s % 60}${NARROW_SPACE}s`;
  if (s < 172800) return `${Math.floor(s / 3600)}${NARROW_SPACE}h ${Math.floor((s % 3600) / 60)}${NARROW_SPACE}min`;
  return `${Math.floor(s / 86400)} days`;
}

/** The name of a figure, with the gas as it is written. */
export function title(kpi) {
  return kpi.name.replaceAll("CO2", "CO₂");
}

/** The unit beside a figure: which gas a mass is of is said, "1" is not. */
export function unit(kpi) {
  if (kpi.unit === "1") return "";
  return kpi.route ? kpi.unit.replace(/^(kg|t)(?=\/)/, "$1CO₂") : kpi.unit;
}

/** Clocks of a site's time zone. */
export function clocks(timeZone) {
  const time = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" });
  const full = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  });
  return { time: (ms) => time.format(ms), full: (ms) => full.format(ms) };
}
