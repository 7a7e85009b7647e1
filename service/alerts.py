"""Episodes of alert rules as the API tells them: what was found, and what people have done about it.

What was found is ingest's, word for word that of the newest event; acts and who has acknowledged it are read
beside it.
"""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from service import cursors
from service.documents import Document, Instant, Page
from service.figures import QualityName
from service.plans import SitePlan
from service.problems import ProblemError
from service.store import Connection, Row, row, rows

Severity = Literal["info", "warning", "critical"]
State = Literal["firing", "resolved"]
NUMBER = range(1, 2**61)


class AlertSubject(Document):
    """What the rule watches."""

    kind: Literal["kpi", "point", "emission", "demand", "data_age", "quality", "residual", "benchmark"]
    id: str
    window: str | None


class AtStake(Document):
    """What the amount above the limit comes to."""

    energy_kwh: float | None
    co2_t: float | None
    money: float | None
    currency: str | None
    reason: str | None = Field(description="Why something of it is null")


class ActDocument(Document):
    """What somebody has done about it."""

    kind: Literal["acknowledge", "comment", "assign"]
    note: str
    assignee: str | None
    author: str = Field(description="Name of the key")
    at: Instant


class AlertDocument(Document):
    """One episode of a rule."""

    episode: str = Field(description="Its id, in every event of it")
    rule: str
    kind: Literal["threshold", "change", "deviation", "absence", "state", "quality"]
    severity: Severity
    state: State
    subject: AlertSubject
    site: str
    unit_path: str | None
    unit: str
    value: float | None = Field(description="That was compared, when it fired, or when it resolved")
    limit: float | None
    comparison: str
    valid_share: float | None
    quality: QualityName
    reasons: list[str]
    from_: Instant | None = Field(alias="from")
    to: Instant | None
    at: Instant = Field(description="When it became so in the plant")
    pending_at: Instant
    fired_at: Instant
    resolved_at: Instant | None
    cause: str
    advice: str | None
    at_stake: AtStake
    link: str
    plan_version: int
    told_at: Instant | None = Field(description="When people were told; null: they were not")
    mute: Literal["historical", "silenced", "parent", "dampened"] | None = Field(
        description="Why they were not told at once"
    )
    revised: int = Field(description="How often what it rests on was revised afterwards")
    acknowledged_at: Instant | None
    acknowledged_by: str | None = Field(description="Who was the first to")
    assignee: str | None = Field(description="Whose it is now")


class WholeAlert(AlertDocument):
    """One episode with all that was done about it."""

    acts: list[ActDocument]


class AnsweredAlert(WholeAlert):
    """An episode after what was asked of it."""

    repeated: bool = Field(description="The same had been asked before; nothing was added")


EXAMPLE: dict[str, Any] = {
    "episode": "cement.kiln-power.1795161620000000",
    "rule": "kiln-power",
    "kind": "threshold",
    "severity": "warning",
    "state": "firing",
    "subject": {"kind": "kpi", "id": "cement/kiln/power", "window": "5min"},
    "site": "cement",
    "unit_path": "cement/kiln",
    "unit": "kW",
    "value": 9120.4,
    "limit": 9000.0,
    "comparison": "above",
    "valid_share": 1.0,
    "quality": "good",
    "reasons": [],
    "from": "2026-11-20T07:56:00Z",
    "to": "2026-11-20T08:01:20Z",
    "at": "2026-11-20T08:01:20Z",
    "pending_at": "2026-11-20T08:00:20Z",
    "fired_at": "2026-11-20T08:01:20Z",
    "resolved_at": None,
    "cause": "cement/kiln/power over 5min is 9120.4 kW, above its limit of 9000 kW, for 1min.",
    "advice": "Look for false air at the kiln's inlet",
    "at_stake": {
        "energy_kwh": 10.7,
        "co2_t": None,
        "money": None,
        "currency": None,
        "reason": "no price in the plant file applies to it",
    },
    "link": "/v1/alerts/cement.kiln-power.1795161620000000",
    "plan_version": 3,
    "told_at": "2026-11-20T08:01:20Z",
    "mute": None,
    "revised": 0,
    "acknowledged_at": "2026-11-20T08:03:00Z",
    "acknowledged_by": "m.weber",
    "assignee": None,
}
ACT_EXAMPLE: dict[str, Any] = {
    "kind": "acknowledge",
    "note": "On it",
    "assignee": None,
    "author": "m.weber",
    "at": "2026-11-20T08:03:00Z",
}

_SELECT = """
    SELECT e.episode_no, e.site_no, e.episode, e.data, e.told_at, e.mute, e.noted, e.resolved_at, acked.at, acked.author,
           given.assignee
      FROM alert_episode e
      LEFT JOIN LATERAL (SELECT at, author FROM alert_act a WHERE a.episode = e.episode AND a.kind = 'acknowledge'
                          ORDER BY act_no LIMIT 1) acked ON true
      LEFT JOIN LATERAL (SELECT assignee FROM alert_act a WHERE a.episode = e.episode AND a.kind = 'assign'
                          ORDER BY act_no DESC LIMIT 1) given ON true
"""


async def page(
    connection: Connection,
    sites: Sequence[SitePlan],
    *,
    state: State | None,
    severity: Severity | None,
    rule: str | None,
    since: int | None,
    until: int | None,
    limit: int,
    cursor: str | None,
) -> Page[AlertDocument]:
    """Episodes of some sites, the newest first: not over before `since`, fired before `until`, µs."""
    before = NUMBER.stop if cursor is None else cursors.decode(cursor, (NUMBER,))[0]
    found = await rows(
        connection,
        f"""
        {_SELECT}
         WHERE e.site_no = ANY(%(sites)s) AND e.episode_no < %(before)s
           AND (%(severity)s::text IS NULL OR e.severity = %(severity)s)
           AND (%(rule)s::text IS NULL OR e.rule = %(rule)s)
           AND (%(state)s::text IS NULL OR (e.resolved_at IS NULL) = (%(state)s = 'firing'))
           AND (%(since)s::bigint IS NULL OR e.resolved_at IS NULL
                OR e.resolved_at >= to_timestamp(0) + %(since)s * interval '1 microsecond')
           AND (%(until)s::bigint IS NULL
                OR e.fired_at < to_timestamp(0) + %(until)s * interval '1 microsecond')
         ORDER BY e.episode_no DESC LIMIT %(limit)s
        """,
        {
            "sites": [site.site_no for site in sites],
            "before": before,
            "severity": severity,
            "rule": rule,
            "state": state,
            "since": since,
            "until": until,
            "limit": limit + 1,
        },
    )
    items = [AlertDocument(**_told(values)) for values in found[:limit]]
    return Page(items=items, next=cursors.encode([found[limit - 1][0]]) if len(found) > limit else None)


async def whole(connection: Connection, sites: Sequence[SitePlan], episode: str) -> WholeAlert:
    """One episode of a site that the key covers.

    Raises:
        ProblemError: for this key there is none of this id.
    """
    found = await row(
        connection,
        f"{_SELECT} WHERE e.episode = %s AND e.site_no = ANY(%s)",
        [episode, [site.site_no for site in sites]],
    )
    if found is None:
        raise ProblemError("unknown-episode", f"There is no alert {episode!r}.")
    acts = await rows(
        connection,
        "SELECT kind, note, assignee, author, at FROM alert_act WHERE episode = %s ORDER BY act_no",
        [episode],
    )
    names = ("kind", "note", "assignee", "author", "at")
    done = [ActDocument(**dict(zip(names, act, strict=True))) for act in acts]
    return WholeAlert(**_told(found), acts=done)


def _told(found: Row) -> dict[str, Any]:
    """A row as the members of a document."""
    _, _, _, data, told_at, mute, noted, _, acknowledged_at, acknowledged_by, assignee = found
    known = {info.alias or name for name, info in AlertDocument.model_fields.items()}
    return {
        **{name: value for name, value in data.items() if name in known},
        "told_at": told_at,
        "mute": mute,
        "revised": noted,
        "acknowledged_at": acknowledged_at,
        "acknowledged_by": acknowledged_by,
        "assignee": assignee,
    }
