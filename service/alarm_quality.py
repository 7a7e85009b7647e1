"""How good alarms are, by the measures of alarm management.

How many come, which chatter, which stand, which come most often, how long it takes until somebody has
acknowledged them. Counted are episodes that people were told of. An alarm chatters if it came three times
within a minute; it stands if it has fired for a day.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from pydantic import Field

from ingest.model import DAY, HOUR, MINUTE
from service.documents import Document, Instant
from service.plans import SitePlan
from service.store import Connection, Row, rows
from service.times import to_datetime

CHATTERS_TIMES, CHATTERS_US = 3, MINUTE
STANDS_US = DAY
TOP = 10
MOST = 100_000
"""Episodes looked at."""


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
    found = await rows(
        connection,
        """
        SELECT site_no, rule, episode, fired_at, told_at, resolved_at,
               (SELECT min(at) FROM alert_act a WHERE a.episode = e.episode AND a.kind = 'acknowledge')
          FROM alert_episode e
         WHERE site_no = ANY(%s) AND fired_at < %s
           AND (resolved_at IS NULL OR resolved_at >= %s OR fired_at >= %s)
         ORDER BY fired_at LIMIT %s
        """,
        [
            [site.site_no for site in sites], to_datetime(to_at), to_datetime(from_at), to_datetime(from_at), MOST,
        ],
    )  # fmt: skip
    names = {site.site_no: site.plan.site for site in sites}
    told = [one for one in found if one[4] is not None and from_at <= one[4] < to_at]
    unheard = sum(one[4] is None and from_at <= one[3] < to_at for one in found)
    by_rule: dict[tuple[str, str], list[int]] = {}
    for one in told:
        by_rule.setdefault((names[one[0]], one[1]), []).append(one[4])
    counts = Counter({key: len(times) for key, times in by_rule.items()})
    chattering = [key for key, times in by_rule.items() if _chatters(sorted(times))]
    return AlarmQuality(
        from_=from_at,
        to=to_at,
        episodes=len(told),
        unheard=unheard,
        per_hour=_rate(told, HOUR, from_at, to_at),
        per_10min=_rate(told, 10 * MINUTE, from_at, to_at),
        chattering=[_count(key, counts) for key in chattering],
        standing=[
            Standing(episode=one[2], rule=one[1], fired_at=one[3])
            for one in found
            if one[4] is not None and min(one[5] or to_at, to_at) == to_at and to_at - one[3] >= STANDS_US
        ],
        top=[_count(key, counts) for key, _ in counts.most_common(TOP)],
        time_to_acknowledge=_acknowledging(told),
    )


def _count(key: tuple[str, str], counts: Counter[tuple[str, str]]) -> RuleCount:
    return RuleCount(site=key[0], rule=key[1], episodes=counts[key])


def _chatters(times: list[int]) -> bool:
    last = CHATTERS_TIMES - 1
    return any(times[i + last] - times[i] <= CHATTERS_US for i in range(len(times) - last))


def _rate(told: Sequence[Row], stretch_us: int, from_at: int, to_at: int) -> Rate:
    stretches = Counter(one[4] // stretch_us for one in told)
    mean = len(told) * stretch_us / (to_at - from_at)
    if not stretches:
        return Rate(mean=mean, peak=0, peak_at=None)
    peak = max(stretches.values())
    first = min(stretch for stretch, n in stretches.items() if n == peak)
    return Rate(mean=mean, peak=peak, peak_at=first * stretch_us)


def _acknowledging(told: Sequence[Row]) -> Acknowledging:
    took = [max(0, one[6] - one[4]) / 1e6 for one in told if one[6] is not None]
    return Acknowledging(
        acknowledged=len(took),
        unacknowledged=len(told) - len(took),
        median_s=median(took) if took else None,
        longest_s=max(took) if took else None,
    )
