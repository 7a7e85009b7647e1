"""How good alarms are, by the measures of alarm management.

How many come, which chatter, which stand, which come most often, how long it takes until somebody has
acknowledged them. Counted are episodes that people were told of. An alarm chatters if it came three times
within a minute; it stands if it has fired for a day. All episodes of a span are counted, in the database; what is
listed is of rules, of which there are few.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from ingest.model import DAY, HOUR, MINUTE
from service.documents import Document, Instant
from service.plans import SitePlan
from service.store import Connection, row, rows
from service.times import to_datetime

CHATTERS_TIMES, CHATTERS_US = 3, MINUTE
STANDS_US = DAY
TOP = 10

_FOUND = """
    WITH found AS (
        SELECT site_no, rule, episode, fired_at, told_at, resolved_at,
               told_at >= %(from)s AND told_at < %(to)s AS is_told, (extract(epoch FROM told_at) * 1000000)::bigint AS us
          FROM alert_episode
         WHERE site_no = ANY(%(sites)s) AND fired_at < %(to)s
           AND (resolved_at IS NULL OR resolved_at >= %(from)s OR fired_at >= %(from)s)
    )
"""
_TOTALS = f"""
    {_FOUND}, took AS (
        SELECT found.*, greatest(0, acked.us - found.us) / 1e6::float8 AS took_s, acked.us IS NOT NULL AS is_acknowledged
          FROM found LEFT JOIN LATERAL (
            SELECT (extract(epoch FROM min(at)) * 1000000)::bigint AS us
              FROM alert_act a WHERE a.episode = found.episode AND a.kind = 'acknowledge'
          ) acked ON true
    )
    SELECT count(*) FILTER (WHERE is_told),
           count(*) FILTER (WHERE told_at IS NULL AND fired_at >= %(from)s),
           count(*) FILTER (WHERE is_told AND is_acknowledged),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY took_s) FILTER (WHERE is_told AND is_acknowledged),
           max(took_s) FILTER (WHERE is_told AND is_acknowledged)
      FROM took
"""  # noqa: S608  fragments of this module
_RULES = f"""
    {_FOUND}, times AS (
        SELECT site_no, rule, us - lag(us, %(times)s) OVER (PARTITION BY site_no, rule ORDER BY us) AS within_us
          FROM found WHERE is_told
    )
    SELECT site_no, rule, count(*), coalesce(bool_or(within_us <= %(within)s), false)
      FROM times GROUP BY site_no, rule ORDER BY count(*) DESC, site_no, rule
"""  # noqa: S608  fragments of this module
_PEAK = f"""
    {_FOUND}
    SELECT count(*), us / %(stretch)s FROM found WHERE is_told GROUP BY 2 ORDER BY 1 DESC, 2 LIMIT 1
"""  # noqa: S608  fragments of this module
_STANDING = f"""
    {_FOUND}
    SELECT episode, rule, fired_at FROM found
     WHERE told_at IS NOT NULL AND (resolved_at IS NULL OR resolved_at >= %(to)s) AND fired_at <= %(stands)s
     ORDER BY fired_at, episode
"""  # noqa: S608  fragments of this module


class Rate(Document):
    """Alarms per time."""

    mean: float = Field(description="Over the whole span")
    peak: int = Field(description="Most in one such stretch, counted from the epoch")
    peak_at: Instant | None = Field(description="Where that begins")


class RuleCount(Document):
    """How often a rule came."""

    site: str
    rule: str
    episodes: int


class Standing(Document):
    """An alarm that has fired for a day."""

    episode: str
    rule: str
    fired_at: Instant


class Acknowledging(Document):
    """How long it took until somebody had acknowledged; s after people were told."""

    acknowledged: int
    unacknowledged: int
    median_s: float | None
    longest_s: float | None


class AlarmQuality(Document):
    """The alarms of a span."""

    from_: Instant = Field(alias="from")
    to: Instant
    episodes: int = Field(description="That people were told of in the span")
    unheard: int = Field(description="That fired in it and nobody was told of")
    per_hour: Rate
    per_10min: Rate
    chattering: list[RuleCount] = Field(
        description="Rules that came three times within a minute, how often they came"
    )
    standing: list[Standing] = Field(description="That had fired for a day by the end of the span")
    top: list[RuleCount] = Field(description="The ten rules that came most often")
    time_to_acknowledge: Acknowledging


EXAMPLE: dict[str, Any] = {
    "from": "2026-11-19T08:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "episodes": 31,
    "unheard": 4,
    "per_hour": {"mean": 1.29, "peak": 9, "peak_at": "2026-11-20T05:00:00Z"},
    "per_10min": {"mean": 0.215, "peak": 6, "peak_at": "2026-11-20T05:20:00Z"},
    "chattering": [{"site": "cement", "rule": "kiln-power", "episodes": 12}],
    "standing": [],
    "top": [{"site": "cement", "rule": "kiln-power", "episodes": 12}],
    "time_to_acknowledge": {"acknowledged": 20, "unacknowledged": 11, "median_s": 95.0, "longest_s": 1800.0},
}


async def alarm_quality(
    connection: Connection, sites: Sequence[SitePlan], from_at: int, to_at: int
) -> AlarmQuality:
    """The alarms of some sites in [from_at, to_at), µs."""
    span = {
        "sites": [site.site_no for site in sites],
        "from": to_datetime(from_at),
        "to": to_datetime(to_at),
        "stands": to_datetime(to_at - STANDS_US),
        "times": CHATTERS_TIMES - 1,
        "within": CHATTERS_US,
    }
    names = {site.site_no: site.plan.site for site in sites}
    found = await row(connection, _TOTALS, span)
    assert found is not None
    told, unheard, acknowledged, median_s, longest_s = found
    counts = [
        (RuleCount(site=names[site_no], rule=rule, episodes=n), chatters)
        for site_no, rule, n, chatters in await rows(connection, _RULES, span)
    ]
    return AlarmQuality(
        from_=from_at,
        to=to_at,
        episodes=told,
        unheard=unheard,
        per_hour=await _rate(connection, span, HOUR, told, to_at - from_at),
        per_10min=await _rate(connection, span, 10 * MINUTE, told, to_at - from_at),
        chattering=[one for one, chatters in counts if chatters],
        standing=[
            Standing(episode=episode, rule=rule, fired_at=fired_at)
            for episode, rule, fired_at in await rows(connection, _STANDING, span)
        ],
        top=[one for one, _ in counts[:TOP]],
        time_to_acknowledge=Acknowledging(
            acknowledged=acknowledged,
            unacknowledged=told - acknowledged,
            median_s=median_s,
            longest_s=longest_s,
        ),
    )


async def _rate(
    connection: Connection, span: dict[str, Any], stretch_us: int, told: int, span_us: int
) -> Rate:
    found = await row(connection, _PEAK, {**span, "stretch": stretch_us})
    peak, peak_at = (0, None) if found is None else (found[0], found[1] * stretch_us)
    return Rate(mean=told * stretch_us / span_us, peak=peak, peak_at=peak_at)
