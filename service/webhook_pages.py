"""Webhooks and their deliveries as the API tells them.

Of an address only scheme, host and port leave the service, for the rest is often a secret;
of secrets not even the place. A webhook that the plant file has no more is still told, with
what became of its deliveries.
"""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from ingest.plant.webhooks import Webhook
from service import cursors
from service.documents import Document, Instant, Span, columns_of
from service.plans import SitePlan
from service.problems import ProblemError
from service.store import Connection, Row, row, rows
from service.tabular import Table, instant_text

SEQUENCE = range(1, 2**61)
"""What may be a delivery's number in the store."""

State = Literal["active", "disabled", "removed"]
DeliveryState = Literal["waiting", "delivered", "dead"]


class WebhookDocument(Document):
    """Where events are delivered, and how it goes."""

    id: str
    site: str
    target: str | None = Field(description="Scheme, host and port; null: it is removed")
    events: list[str] = Field(description="Types of events it is told of; * stands for any")
    units: list[str] = Field(description="Only what is of these units; empty: the whole site")
    severity_at_least: str | None = Field(description="null: it is removed")
    body: str | None = Field(description="native, alertmanager or cloudevents; null: it is removed")
    timeout: Span | None = Field(description="null: it is removed")
    state: State = Field(description="disabled: it answered 410; removed: the plant file has it no more")
    disabled_at: Instant | None
    sequence: int = Field(description="Of its newest delivery; 0: there is none")
    waiting: int = Field(description="Deliveries that are still to be made")
    waiting_since: Instant | None = Field(description="When the oldest of them was made")
    error: str | None = Field(description="Why that one has not been delivered; null: it has not been tried")
    dead: int = Field(description="Deliveries given up; they may be replayed")
    delivered_at: Instant | None = Field(description="When its newest delivery that was answered was")


class DeliveryDocument(Document):
    """An event on its way to a webhook."""

    sequence: int = Field(description="Its number at this webhook, also in the delivery itself")
    event_id: str = Field(description="The webhook-id, the same in every attempt")
    type: str
    stream: str = Field(description="Within it deliveries keep their order")
    occurred_at: Instant
    state: DeliveryState
    tries: int = Field(description="Failed attempts since it began to wait")
    attempts: int = Field(description="Attempts ever")
    made_at: Instant
    due_at: Instant | None = Field(description="When it is tried next; null: it does not wait")
    ended_at: Instant | None = Field(description="When it was delivered or given up")
    status: int | None = Field(description="HTTP status of its last attempt; null: no answer, or none yet")
    error: str | None = Field(description="Why its last attempt failed; null: it did not, or none yet")


class AttemptDocument(Document):
    """One sending."""

    attempt: int
    begun_at: Instant
    duration_ms: int
    status: int | None = Field(description="null: there was no answer")
    error: str | None = Field(description="null: it was delivered")
    answer: str | None = Field(description="The first 500 bytes of the answer; null: there was none")


class DeliveryFigures(DeliveryDocument):
    """A delivery with all its attempts."""

    log: list[AttemptDocument] = Field(description="The newest last")


_WEBHOOKS = """
    SELECT w.site_no, w.id, w.disabled_at, w.sequence, waiting.count, waiting.since, oldest.error, dead.count,
           newest.ended_at
      FROM webhook w
     CROSS JOIN LATERAL (
           SELECT count(*), min(made_at) AS since FROM delivery d
            WHERE d.webhook_no = w.webhook_no AND d.state = 'waiting') waiting
     CROSS JOIN LATERAL (
           SELECT count(*) FROM delivery d WHERE d.webhook_no = w.webhook_no AND d.state = 'dead') dead
      LEFT JOIN LATERAL (
           SELECT a.error FROM delivery d JOIN delivery_attempt a USING (delivery_no)
            WHERE d.webhook_no = w.webhook_no AND d.state = 'waiting' AND a.attempt = d.attempts
            ORDER BY d.sequence LIMIT 1) oldest ON true
      LEFT JOIN LATERAL (
           SELECT d.ended_at FROM delivery d
            WHERE d.webhook_no = w.webhook_no AND d.state = 'delivered' ORDER BY d.sequence DESC LIMIT 1) newest ON true
     WHERE w.site_no = ANY(%s)
     ORDER BY w.site_no, w.id
"""

_DELIVERIES = """
    SELECT d.sequence, d.event_id, d.type, d.stream, d.occurred_at, d.state, d.tries, d.attempts, d.made_at,
           CASE WHEN d.state = 'waiting' THEN d.due_at END, d.ended_at, a.status, a.error, d.delivery_no
      FROM delivery d
      LEFT JOIN delivery_attempt a ON a.delivery_no = d.delivery_no AND a.attempt = d.attempts
"""


async def webhooks(connection: Connection, sites: Sequence[SitePlan]) -> list[WebhookDocument]:
    """The webhooks of some sites: those of their files in their order, then removed ones."""
    found = await rows(connection, _WEBHOOKS, [[site.site_no for site in sites]])
    known = {(values[0], values[1]): values[2:] for values in found}
    documents = []
    for site in sites:
        declared = site.plan.file.webhooks
        names = {webhook.id for webhook in declared}
        documents += [_told(site, webhook, known.get((site.site_no, webhook.id))) for webhook in declared]
        documents += [
            _removed(site, name, values)
            for (number, name), values in known.items()
            if number == site.site_no and name not in names
        ]
    return documents


def _told(site: SitePlan, webhook: Webhook, values: Row | None) -> WebhookDocument:
    disabled_at, *rest = values or (None, 0, 0, None, None, 0, None)
    return WebhookDocument(
        id=f"{site.plan.site}/{webhook.id}",
        site=site.plan.site,
        target=webhook.origin,
        events=list(webhook.events),
        units=list(webhook.units),
        severity_at_least=webhook.severity_at_least,
        body=webhook.body,
        timeout=webhook.timeout,
        state="active" if disabled_at is None else "disabled",
        disabled_at=disabled_at,
        **dict(zip(_COUNTED, rest, strict=True)),
    )


def _removed(site: SitePlan, name: str, values: Row) -> WebhookDocument:
    disabled_at, *rest = values
    return WebhookDocument(
        id=f"{site.plan.site}/{name}",
        site=site.plan.site,
        target=None,
        events=[],
        units=[],
        severity_at_least=None,
        body=None,
        timeout=None,
        state="removed",
        disabled_at=disabled_at,
        **dict(zip(_COUNTED, rest, strict=True)),
    )


_COUNTED = ("sequence", "waiting", "waiting_since", "error", "dead", "delivered_at")


async def number_of(connection: Connection, site: SitePlan, name: str) -> int | None:
    """The number of a webhook that is, or was, in the plant file; None: no delivery of it was ever made.

    Raises:
        ProblemError: there is no such webhook.
    """
    found = await row(
        connection, "SELECT webhook_no FROM webhook WHERE site_no = %s AND id = %s", [site.site_no, name]
    )
    if found is None and name not in {webhook.id for webhook in site.plan.file.webhooks}:
        raise unknown(site, name)
    return None if found is None else int(found[0])


def unknown(site: SitePlan, name: str) -> ProblemError:
    """The problem of a webhook that never was."""
    return ProblemError("unknown-webhook", f"There is no webhook '{site.plan.site}/{name}'.")


async def page(
    connection: Connection, webhook_no: int | None, state: str | None, limit: int, cursor: str | None
) -> Table:
    """The deliveries of a webhook, the newest first."""
    before = SEQUENCE.stop if cursor is None else cursors.decode(cursor, (SEQUENCE,))[0]
    found = await rows(
        connection,
        f"""
        {_DELIVERIES}
         WHERE d.webhook_no = %(webhook)s AND d.sequence < %(before)s
           AND (%(state)s::text IS NULL OR d.state = %(state)s)
         ORDER BY d.sequence DESC LIMIT %(limit)s
        """,
        {"webhook": webhook_no, "before": before, "state": state, "limit": limit + 1},
    )
    return Table(
        columns_of(DeliveryDocument),
        [_row(values) for values in found[:limit]],
        cursors.encode([found[limit - 1][0]]) if len(found) > limit else None,
    )


_INSTANTS = (4, 8, 9, 10)


def _row(values: Row) -> list[Any]:
    return [instant_text(value) if i in _INSTANTS else value for i, value in enumerate(values[:-1])]


async def one(connection: Connection, webhook_no: int | None, sequence: int) -> DeliveryFigures | None:
    """A delivery with its attempts; None: there is none of this number."""
    found = await row(
        connection,
        f"{_DELIVERIES} WHERE d.webhook_no = %s AND d.sequence = %s",
        [webhook_no, sequence],
    )
    if found is None:
        return None
    attempts = await rows(
        connection,
        """
        SELECT attempt, begun_at, duration_ms, status, error, answer FROM delivery_attempt
         WHERE delivery_no = %s ORDER BY attempt
        """,
        [found[-1]],
    )
    names = list(AttemptDocument.model_fields)
    log = [AttemptDocument(**dict(zip(names, values, strict=True))) for values in attempts]
    return DeliveryFigures(**dict(zip(DeliveryDocument.model_fields, found[:-1], strict=True)), log=log)
