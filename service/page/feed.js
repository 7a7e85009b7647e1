// Where figures come from: the live stream; while that is down, asking every few seconds.

const POLL_MS = 4000;
const SILENT_MS = 8000;
const REOPEN_MS = 3000;

export class SignedOut extends Error {}

/** GET a JSON document of the API. */
export async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  if (response.status === 401) throw new SignedOut();
  if (!response.ok) throw new Error((await response.json()).detail);
  return response.json();
}

/** POST without a body; an Error says in words why it was refused. */
export async function post(path, key) {
  let response;
  try {
    response = await fetch(path, { method: "POST", headers: { Accept: "application/json", "Idempotency-Key": key, "Stackwatt-Page": "1" } });
  } catch {
    throw new Error("no connection; try again.");
  }
  const document = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(document.detail ?? `the service answered ${response.status}.`);
  return document;
}

export class Feed {
  /** hear: {figures(items), status({now, database, sites}), connection(state), signedOut()} */
  constructor(hear) {
    this.hear = hear;
    this.heardAt = performance.now();
    this.closed = false;
    this.polling = false;
    this.open();
    this.watch = setInterval(() => this.check(), 1000);
  }

  close() {
    this.closed = true;
    this.source.close();
    clearInterval(this.watch);
  }

  open() {
    this.source = new EventSource("/v1/live");
    this.source.addEventListener("figures", (event) => this.hear.figures(this.parsed(event).items));
    this.source.addEventListener("status", (event) => {
      const status = this.parsed(event);
      this.hear.status(status);
      this.hear.connection(status.database ? "live" : "database");
    });
    this.source.addEventListener("bye", () => this.reopen());
    this.source.addEventListener("error", () => {
      // The browser tries again by itself unless the server refused the stream.
      if (this.source.readyState === EventSource.CLOSED) this.reopen();
    });
  }

  parsed(event) {
    this.heardAt = performance.now();
    return JSON.parse(event.data);
  }

  reopen() {
    this.source.close();
    this.heardAt = -Infinity; // ask at the next second
    setTimeout(() => this.closed || this.open(), REOPEN_MS);
  }

  check() {
    if (!this.polling && performance.now() - this.heardAt > SILENT_MS) this.poll();
  }

  async poll() {
    this.polling = true;
    try {
      const latest = await get("/v1/kpis/latest");
      if (!this.closed) {
        this.hear.figures(latest.items);
        this.hear.status({ now: null, database: true, sites: latest.sites });
        this.hear.connection("polling");
      }
    } catch (error) {
      if (error instanceof SignedOut) this.hear.signedOut();
      else this.hear.connection("lost");
    }
    setTimeout(() => (this.polling = false), POLL_MS);
  }
}
