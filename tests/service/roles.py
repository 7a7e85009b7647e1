"""Who may do what: one row for every route of the application; a route without a row fails `test_roles`.

A row asks for something of the cement line, as a client would. Who may: the scopes that open the route, none where it
is open to everyone. What becomes of a key that is for the steel works only: it is refused (403, whether the thing
exists or not), finds nothing (404, as if it did not exist), sees a list without the cement line, or asks for nothing
that belongs to a site.

To add a route: add a row to ROWS, and to `test_roles._fill` one such thing of the cement line where a list or a number
would else be of nothing; the tests of every read route in `test_routes` and `test_texts` follow. A parameter of an
address that `test_contract.KNOWN` has no values of gets some there.
"""

from dataclasses import dataclass
from typing import Any, Literal

SCOPES = ("read", "mes", "operate", "admin")
ANYONE = frozenset[str]()
ANY_KEY = frozenset(SCOPES)
READ = frozenset({"read", "admin"})
SEND = frozenset({"mes", "operate", "admin"})
OPERATE = frozenset({"operate", "admin"})
ADMIN = frozenset({"admin"})

Foreign = Literal["refused", "hidden", "filtered", "own"]


@dataclass(frozen=True, slots=True)
class Row:
    """One route."""

    method: str
    route: str
    """As the application names it."""
    scopes: frozenset[str]
    """Who may."""
    foreign: Foreign
    """What becomes of a key of another site."""
    ask: str
    """Something of the cement line, with its query."""
    body: Any = None
    """bytes: CSV."""
    ghost: tuple[str, str] = ("1", "999999")
    """Where the route hides what is of another site: the part of `ask` that names it, and one that names nothing."""
    missing: bool = False
    """Of what it asks for the seeded plant has none, so even who may finds nothing."""


_SCHEDULE = {
    "orders": [{"id": "next", "product": "clinker", "quantity": 8}],
    "candidates": [
        {"name": "now", "runs": [{"order": "next", "unit": "kiln", "start": "2026-11-20T09:00:00Z"}]}
    ],
}
_WEBHOOK = "/v1/webhooks/cement/mes"
_POINT = "cement/kiln/power"
_EPISODE = "cement.kiln-power.1795161620000000"
_OF_EPISODE: dict[str, Any] = {"ghost": (_EPISODE, "cement.kiln-power.1795161620000001")}
_COUNTER = "cement/kiln/clinker"
_TEST = {
    "kind": "daily_calibration",
    "performed_at": "2026-11-20T06:30:00Z",
    "readings": {"quantity": "diluent", "span": 20.0,
                 "injections": [{"reference": 10.0, "measured": 10.2, "level": "span"}]},
    "note": "",
}  # fmt: skip
_INVOICE = {
    "site": "cement", "kind": "invoice", "number": "RE-1", "activity": "coal", "from": "2026-11-01", "to": "2026-11-02",
    "quantity": 1.0, "file_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}  # fmt: skip
_PERIOD = {"site": "cement", "kind": "month", "from": "2026-09-30T16:00:00Z", "to": "2026-10-31T16:00:00Z"}
_EVENT = {"order": "4712/a", "unit": "kiln", "ts": "2026-11-20T07:50:00Z"}
_JOB = {
    "JobResponse": {
        "JobOrderID": "4713", "StartTime": "2026-11-20T06:00:00Z", "EndTime": "2026-11-20T07:00:00Z",
        "EquipmentActual": [{"EquipmentID": "kiln"}],
    }
}  # fmt: skip
_NOTE = {"note": "Entered twice"}


def _row(
    words: str, scopes: frozenset[str], foreign: Foreign, ask: str, body: Any = None, **more: Any
) -> Row:
    method, route = words.split(" ")
    return Row(method, route, scopes, foreign, ask, body, **more)


ROWS = (
    _row("GET /", ANYONE, "own", "/"),
    _row("GET /page/{name}", ANYONE, "own", "/page/page.js"),
    _row("GET /healthz", ANYONE, "own", "/healthz"),
    _row("GET /readyz", ANYONE, "own", "/readyz"),
    _row("GET /metrics", ANYONE, "own", "/metrics"),
    _row("POST /v1/session", ANY_KEY, "own", "/v1/session"),
    _row("GET /v1/session", READ, "own", "/v1/session"),
    _row("DELETE /v1/session", ANYONE, "own", "/v1/session"),
    _row("GET /v1/live", READ, "filtered", "/v1/live"),
    _row("GET /v1/plant", READ, "filtered", "/v1/plant"),
    _row("GET /v1/points", READ, "filtered", "/v1/points"),
    _row("GET /v1/points/latest", READ, "filtered", "/v1/points/latest"),
    _row("GET /v1/points/totals", READ, "filtered", "/v1/points/totals?from=2026-11-20T07:00:00Z&to=2026-11-20T08:00:00Z"),
    _row("GET /v1/points/{point_id:path}/readings", READ, "refused", f"/v1/points/{_POINT}/readings"),
    _row("GET /v1/points/{point_id:path}/intervals", READ, "refused", f"/v1/points/{_POINT}/intervals"),
    _row("GET /v1/points/{point_id:path}/ledger", READ, "refused", f"/v1/points/{_COUNTER}/ledger"),
    _row("GET /v1/points/{point_id:path}/gaps", READ, "refused", f"/v1/points/{_POINT}/gaps"),
    _row("GET /v1/points/{point_id:path}/comparison", READ, "refused", f"/v1/points/{_POINT}/comparison"),
    _row("GET /v1/gaps", READ, "filtered", "/v1/gaps"),
    _row("GET /v1/kpis", READ, "filtered", "/v1/kpis"),
    _row("GET /v1/kpis/latest", READ, "filtered", "/v1/kpis/latest"),
    _row("GET /v1/kpis/{kpi_id:path}/series", READ, "refused", "/v1/kpis/cement/power/series"),
    _row("GET /v1/emissions", READ, "filtered", "/v1/emissions"),
    _row("GET /v1/explain", READ, "refused", "/v1/explain?kind=kpi&id=cement/electricity-intensity"
         "&from=2026-11-20T07:00:00Z&to=2026-11-20T08:00:00Z"),
    _row("GET /v1/orders/{order_id:path}/footprint", READ, "refused", "/v1/orders/4711/footprint?site=cement"),
    _row("POST /v1/schedules/score", READ, "refused", "/v1/schedules/score?site=cement", _SCHEDULE),
    _row("GET /v1/allocations", READ, "refused", "/v1/allocations?site=cement&unit=kiln"),
    _row("GET /v1/stages", READ, "refused", "/v1/stages?site=cement&from=2026-11-20T07:00:00Z&to=2026-11-20T08:00:00Z"),
    _row("GET /v1/products/{product_id}/footprint", READ, "refused", "/v1/products/clinker/footprint?site=cement",
         missing=True),
    _row("GET /v1/factors", READ, "filtered", "/v1/factors?origin=plant"),
    _row("GET /v1/factors/restatement", READ, "refused", "/v1/factors/restatement?site=cement"),
    _row("GET /v1/instruments", READ, "filtered", "/v1/instruments"),
    _row("GET /v1/instruments/{instrument_id:path}/tests", READ, "refused",
         "/v1/instruments/cement/stack-co2/tests?from=2026-11-20T00:00:00Z"),
    _row("POST /v1/instruments/{instrument_id:path}/tests", OPERATE, "refused",
         "/v1/instruments/cement/stack-co2/tests", _TEST),
    _row("GET /v1/sources/{source_id:path}/hours", READ, "refused", "/v1/sources/cement/kiln/stack/hours",
         missing=True),
    _row("GET /v1/reconciliations/{reconciliation_id:path}", READ, "refused", "/v1/reconciliations/cement/kiln-stack"),
    _row("GET /v1/periods", READ, "filtered", "/v1/periods"),
    _row("GET /v1/periods/{number}", READ, "hidden", "/v1/periods/1"),
    _row("POST /v1/periods", OPERATE, "refused", "/v1/periods", _PERIOD),
    _row("POST /v1/periods/{number}/editions", OPERATE, "hidden", "/v1/periods/1/editions", {"reason": "Recalibrated"}),
    _row("GET /v1/adjustments", READ, "filtered", "/v1/adjustments"),
    _row("GET /v1/reports/{kind}", READ, "refused", "/v1/reports/shift?site=cement&period=2026-11-20/day"),
    _row("POST /v1/points/{point_id:path}/readings", SEND, "refused", f"/v1/points/{_POINT}/readings", 1.5),
    _row("POST /v1/points/{point_id:path}/corrections", OPERATE, "refused", f"/v1/points/{_POINT}/corrections",
         {"measured_at": "2026-11-20T06:30:05Z", "value": 1.0, **_NOTE}),
    _row("POST /v1/points/{point_id:path}/replacements", OPERATE, "refused", f"/v1/points/{_COUNTER}/replacements",
         {"at": "2026-11-20T06:30:05Z", "old_final": 1.0, "new_initial": 0.0, **_NOTE}),
    _row("GET /v1/declarations", READ, "filtered", "/v1/declarations"),
    _row("POST /v1/declarations/{number}/approve", OPERATE, "hidden", "/v1/declarations/1/approve"),
    _row("POST /v1/declarations/{number}/refuse", OPERATE, "hidden", "/v1/declarations/1/refuse"),
    _row("POST /v1/declarations/{number}/withdraw", OPERATE, "hidden", "/v1/declarations/1/withdraw", _NOTE),
    _row("GET /v1/documents", READ, "filtered", "/v1/documents"),
    _row("POST /v1/documents", OPERATE, "refused", "/v1/documents", _INVOICE),
    _row("POST /v1/documents/csv", OPERATE, "refused", "/v1/documents/csv?site=cement",
         b"kind,number,activity,from,to,quantity,unit,file_sha256\r\n"),
    _row("POST /v1/documents/{number}/approve", OPERATE, "hidden", "/v1/documents/1/approve"),
    _row("POST /v1/documents/{number}/refuse", OPERATE, "hidden", "/v1/documents/1/refuse"),
    _row("POST /v1/documents/{number}/withdraw", OPERATE, "hidden", "/v1/documents/1/withdraw", _NOTE),
    _row("GET /v1/orders", READ, "filtered", "/v1/orders"),
    _row("GET /v1/orders/{order_id:order}", READ, "refused", "/v1/orders/4711?site=cement"),
    _row("GET /v1/production", READ, "filtered", "/v1/production"),
    _row("GET /v1/states", READ, "filtered", "/v1/states"),
    _row("POST /v1/orders", SEND, "refused", "/v1/orders?site=cement", {"order": "4712", "product": "clinker"}),
    _row("POST /v1/orders/job-response", SEND, "refused", "/v1/orders/job-response?site=cement", _JOB),
    _row("POST /v1/orders/start", SEND, "refused", "/v1/orders/start?site=cement", _EVENT),
    _row("POST /v1/orders/pause", SEND, "refused", "/v1/orders/pause?site=cement", _EVENT),
    _row("POST /v1/orders/resume", SEND, "refused", "/v1/orders/resume?site=cement", _EVENT),
    _row("POST /v1/orders/stop", SEND, "refused", "/v1/orders/stop?site=cement", _EVENT),
    _row("POST /v1/production", SEND, "refused", "/v1/production?site=cement",
         {"unit": "kiln", "from": "2026-11-20T06:00:00Z", "to": "2026-11-20T07:00:00Z", "good": 40, "measure": "t"}),
    _row("POST /v1/states", SEND, "refused", "/v1/states?site=cement",
         {"unit": "kiln", "ts": "2026-11-20T06:00:00Z", "state": "idle"}),
    _row("GET /v1/demand", READ, "filtered", "/v1/demand"),
    _row("GET /v1/demand/{kpi_id:path}/series", READ, "refused", "/v1/demand/cement/demand/series"),
    _row("GET /v1/costs", READ, "filtered", "/v1/costs"),
    _row("GET /v1/webhooks", READ, "filtered", "/v1/webhooks"),
    _row("GET /v1/webhooks/{webhook_id:path}/deliveries", READ, "refused", f"{_WEBHOOK}/deliveries"),
    _row("GET /v1/webhooks/{webhook_id:path}/deliveries/{sequence}", READ, "refused", f"{_WEBHOOK}/deliveries/1"),
    _row("POST /v1/webhooks/{webhook_id:path}/deliveries/{sequence}/replay", OPERATE, "refused",
         f"{_WEBHOOK}/deliveries/1/replay"),
    _row("POST /v1/webhooks/{webhook_id:path}/replay", OPERATE, "refused", f"{_WEBHOOK}/replay"),
    _row("POST /v1/webhooks/{webhook_id:path}/test", OPERATE, "refused", f"{_WEBHOOK}/test"),
    _row("POST /v1/webhooks/{webhook_id:path}/enable", OPERATE, "refused", f"{_WEBHOOK}/enable"),
    _row("GET /v1/alerts", READ, "filtered", "/v1/alerts"),
    _row("GET /v1/alerts/quality", READ, "filtered", "/v1/alerts/quality"),
    _row("GET /v1/alerts/silences", READ, "filtered", "/v1/alerts/silences?over=true"),  # one may have been ended
    _row("POST /v1/alerts/silences", OPERATE, "refused", "/v1/alerts/silences",
         {"site": "cement", "to": "2026-11-21T00:00:00Z", "reason": "Kiln stop"}),
    _row("DELETE /v1/alerts/silences/{number}", OPERATE, "hidden", "/v1/alerts/silences/1"),
    _row("GET /v1/alerts/{episode}", READ, "hidden", f"/v1/alerts/{_EPISODE}", **_OF_EPISODE),
    _row("POST /v1/alerts/{episode}/ack", OPERATE, "hidden", f"/v1/alerts/{_EPISODE}/ack", {}, **_OF_EPISODE),
    _row("POST /v1/alerts/{episode}/comment", OPERATE, "hidden", f"/v1/alerts/{_EPISODE}/comment",
         {"note": "Belt changed"}, **_OF_EPISODE),
    _row("POST /v1/alerts/{episode}/assign", OPERATE, "hidden", f"/v1/alerts/{_EPISODE}/assign",
         {"assignee": "s.klein"}, **_OF_EPISODE),
    _row("GET /v1/evidence/{site}/hours", READ, "refused", "/v1/evidence/cement/hours"),
    _row("GET /v1/keys", ADMIN, "filtered", "/v1/keys"),
    _row("POST /v1/keys", ADMIN, "refused", "/v1/keys", {"name": "mallory", "scopes": ["read@cement"]}),
    _row("POST /v1/keys/{number}/successor", ADMIN, "hidden", "/v1/keys/1/successor"),
    _row("POST /v1/keys/{number}/revoke", ADMIN, "hidden", "/v1/keys/1/revoke"),
    _row("GET /v1/audit", ADMIN, "filtered", "/v1/audit"),
)  # fmt: skip


def reading() -> list[str]:
    """What a reader may ask for."""
    return [row.ask for row in ROWS if row.method == "GET" and row.scopes == READ and not row.missing]


def of_site() -> list[str]:
    """What only a key of the cement line may read, lists narrowed to it."""
    found = []
    for row in ROWS:
        if row.method == "GET" and row.scopes == READ and row.foreign == "refused":
            found.append(row.ask)
        elif (
            row.method == "GET" and row.scopes == READ and row.foreign == "filtered" and row.ask != "/v1/live"
        ):
            found.append(f"{row.ask}{'&' if '?' in row.ask else '?'}site=cement")
    return found
