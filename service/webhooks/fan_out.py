"""From events to deliveries: one row for each endpoint that wants the event, each exactly once.

An event leaves the queue `event_waiting` in the transaction that writes its deliveries. One
notifier at a time does so, and takes events in their order, so that a delivery of a stream
is never there before that of an earlier event: the order of sending rests on it.
"""

from collections import defaultdict
from dataclasses import dataclass

from service.store import Connection, rows
from service.times import to_datetime
from service.webhooks.endpoints import Endpoint, InForce

MOST_EVENTS = 500
"""Events taken in one transaction."""
FAN_OUT_LOCK = 0x5741_5454_0020


@dataclass(frozen=True, slots=True)
class Event:
    """What decides where an event goes."""

    event_no: int
    site_no: int
    id: str
    type: str
    stream: str
    occurred_at: int
    """µs."""
    severity: str | None
    unit_path: str | None


async def fan_out(connection: Connection, known: InForce, now: int) -> int:
    """Make deliveries of waiting events; how many events were taken. Commits with the connection's transaction.

    Args:
        connection: in a transaction of its own.
        known: the endpoints of the plans in force; events of sites where they are not known stay.
        now: µs of UTC.
    """
    await connection.execute(
        "SELECT set_config('synchronous_commit', 'on', true), pg_advisory_xact_lock(%s)", [FAN_OUT_LOCK]
    )
    # A statement of its own, hence a snapshot taken under the lock.
    found = await rows(
        connection,
        """
        DELETE FROM event_waiting w USING event e
         WHERE w.event_no IN (SELECT event_no FROM event_waiting JOIN event USING (event_no)
                               WHERE site_no <> ALL(%s::integer[]) ORDER BY event_no LIMIT %s)
           AND e.event_no = w.event_no
        RETURNING e.event_no, e.site_no, e.id, e.type, e.stream, e.occurred_at,
                  e.data ->> 'severity', e.data ->> 'unit_path'
        """,
        [list(known.unread), MOST_EVENTS],
    )
    events = sorted((Event(*values) for values in found), key=lambda event: event.event_no)
    of_site: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        of_site[event.site_no].append(event)
    for endpoint in sorted(known.endpoints, key=lambda endpoint: endpoint.webhook_no):
        wanted = [event for event in of_site.get(endpoint.site_no, ()) if _wants(endpoint, event)]
        if wanted:
            await _write(connection, endpoint.webhook_no, wanted, now)
    return len(events)


def _wants(endpoint: Endpoint, event: Event) -> bool:
    unit = event.unit_path
    if unit is not None:
        unit = unit.removeprefix(f"{endpoint.site}/")
    return endpoint.webhook.wants(event.type, unit, event.severity)


async def _write(connection: Connection, webhook_no: int, events: list[Event], now: int) -> None:
    first = await take_sequence(connection, webhook_no, len(events))
    await connection.execute(
        """
        INSERT INTO delivery
            (webhook_no, sequence, event_no, event_id, type, stream, occurred_at, made_at, due_at)
        SELECT %(webhook)s, %(first)s - 1 + place, event_no, id, type, stream, occurred_at, %(now)s, %(now)s
          FROM unnest(%(events)s::bigint[]) WITH ORDINALITY AS taken(event_no, place)
          JOIN event USING (event_no)
         ORDER BY place
        """,
        {
            "webhook": webhook_no,
            "first": first,
            "now": to_datetime(now),
            "events": [event.event_no for event in events],
        },
    )


async def take_sequence(connection: Connection, webhook_no: int, count: int) -> int:
    """The first of so many numbers of an endpoint's sequence; holds its row to the end of the transaction."""
    found = await rows(
        connection,
        "UPDATE webhook SET sequence = sequence + %s WHERE webhook_no = %s RETURNING sequence",
        [count, webhook_no],
    )
    return int(found[0][0]) - count + 1
