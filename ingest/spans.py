"""Which site and which span a command speaks of, as people write them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from ingest.errors import InputError
from ingest.plant.plan import Plan


async def site_of(connection: AsyncConnection, site: str | None) -> tuple[int, str]:
    """Number and name of the site asked for; without one, of the only one there is.

    Raises InputError where there is no such.
    """
    cursor = await connection.execute("SELECT site_no, id FROM site ORDER BY id")
    known = await cursor.fetchall()
    found = [(number, name) for number, name in known if site in (None, name)]
    if len(found) != 1:
        names = ", ".join(name for _, name in known) or "none; start ingest with a plant file first"
        given = "missing" if site is None else repr(site)
        raise InputError(f"--site is {given}; expected one of the database's: {names}")
    return found[0]


def edge_of(text: str, plan: Plan, name: str) -> int:
    """An instant as it was given, µs; it has to be an edge of intervals."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is not None and "T" not in text and " " not in text.strip():
        at = at.replace(tzinfo=plan.zone)
    if at is None or at.tzinfo is None:
        raise InputError(f"--{name} is {text!r}; expected a date, or an instant like 2026-11-20T08:00:00Z")
    found = (at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if found % plan.interval_us:
        raise InputError(
            f"--{name} is {text!r}; expected the edge of an interval of {plan.file.interval // 10**6} s"
        )
    return found


def instant_of(text: str, name: str) -> int:
    """An instant as it was given, µs."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InputError(f"--{name} is {text!r}; expected an instant like 2026-11-20T08:00:00Z")
    return (at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def days_of(from_at: int, to_at: int, zone: ZoneInfo) -> Iterator[tuple[int, int, bool]]:
    """(begin, end, whether it is all of the day) of each day of the site that the span touches."""
    local = datetime.fromtimestamp(from_at / 1e6, zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    begin = _micros(midnight)
    while begin < to_at:
        midnight = midnight.replace(tzinfo=None) + timedelta(days=1)
        midnight = midnight.replace(tzinfo=zone)
        end = _micros(midnight)
        yield max(begin, from_at), min(end, to_at), from_at <= begin and end <= to_at
        begin = end


def _micros(at: datetime) -> int:
    return round(at.timestamp()) * 1_000_000
