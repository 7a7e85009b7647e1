// The page: sign in, then one section per site, kept up to date.

import { say } from "./dom.js";
import { Feed, SignedOut, get } from "./feed.js";
import { Site } from "./site.js";

const SESSION = "stackwatt.session";
const CONNECTION = {
  live: "live",
  polling: "asking every few seconds",
  database: "database away, figures as last known",
  lost: "no connection, trying again",
};

const login = document.getElementById("login");
const refusal = document.getElementById("refusal");
const leave = document.getElementById("leave");
const connection = document.getElementById("connection");
const place = document.getElementById("sites");

let feed = null;
let sites = [];
/** Server's clock minus ours, ms: ages are told by the server's clock. */
let ahead = 0;

function now() {
  return Date.now() + ahead;
}

function connected(state) {
  connection.dataset.state = state;
  say(connection, CONNECTION[state] ?? "");
  for (const site of sites) site.root.dataset.cut = state === "lost";
}

function askKey(message) {
  feed?.close();
  feed = null;
  sites = [];
  localStorage.removeItem(SESSION);
  place.replaceChildren();
  connected("idle");
  leave.hidden = true;
  login.hidden = false;
  refusal.textContent = message;
  document.getElementById("key").focus();
}

async function signIn(key) {
  const response = await fetch("/v1/session", { method: "POST", headers: { Authorization: `Bearer ${key}` } });
  if (!response.ok) {
    askKey(response.status === 401 ? "This key is not known." : (await response.json()).detail);
    return;
  }
  localStorage.setItem(SESSION, "begun");
  await begin();
}

async function begin() {
  const [plants, kpis, session] = await Promise.all([get("/v1/plant"), get("/v1/kpis"), get("/v1/session")]);
  login.hidden = true;
  leave.hidden = false;
  sites = plants.items.map((plant) => new Site(plant, kpis.items.filter((kpi) => kpi.site === plant.id), session));
  place.replaceChildren(...sites.map((site) => site.root));
  if (!sites.length) place.textContent = "No plant has been applied yet.";
  feed = new Feed({
    figures: (items) => {
      for (const site of sites) site.hear(items.filter((figure) => figure.id.startsWith(`${site.plant.id}/`)));
      show();
    },
    status: (status) => {
      if (status.now) ahead = Date.parse(status.now) - Date.now();
      for (const site of sites) site.state = status.sites[site.plant.id] ?? null;
      if (Object.keys(status.sites).some((id) => !sites.some((site) => site.plant.id === id))) location.reload();
    },
    connection: connected,
    signedOut: () => askKey("The session has ended."),
  });
}

function show() {
  const instant = now();
  for (const site of sites) site.show(instant);
}

async function start() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) {
    history.replaceState(null, "", location.pathname);
    await signIn(given);
  } else if (localStorage.getItem(SESSION) || location.hash === "#proxy") {
    // A reverse proxy in front that names its users links to /#proxy: nobody is asked for a key.
    await begin();
  } else {
    askKey("");
  }
}

async function guarded(step) {
  try {
    await step();
  } catch (error) {
    if (error instanceof SignedOut) {
      askKey("The session has ended.");
    } else {
      connected("lost");
      setTimeout(() => guarded(step), 3000);
    }
  }
}

login.addEventListener("submit", (event) => {
  event.preventDefault();
  const key = new FormData(login).get("key").trim();
  login.reset();
  guarded(() => signIn(key));
});
leave.addEventListener("click", async () => {
  await fetch("/v1/session", { method: "DELETE" });
  askKey("");
});
setInterval(show, 1000);
guarded(start);
