"""From when to when each version of the plant file holds at a point, for what costs should be told of.

A version is taken at each point's frontier (`plan_in_force`). A point that a later version has no more is left where
the site took that one, and a point that is new begins there: before it nobody could have told anything. As of an
earlier batch the same versions hold, as a closed row names its own.
"""

from collections.abc import Iterable, Mapping, Sequence

from ingest.model import NEVER
from service.cost_rows import Names
from service.plans import SitePlan
from service.store import Connection, rows

Spell = tuple[int, int, int]
"""From and to, µs, and the version that holds then."""
FOREVER = -NEVER


class InForce:
    """The versions in force at the points of one site."""

    def __init__(
        self, taken: Iterable[tuple[str, int, int]], names: Names, newest: int, index: Mapping[str, int]
    ) -> None:
        """Of (point, version, taken at in µs; NEVER: nothing was closed yet) and the ids of today's points."""
        self._newest = newest
        noted = sorted((names.of(point), version, at) for point, version, at in taken)
        site: dict[int, int] = {}
        for _, version, at in noted:
            if at != NEVER:
                site[version] = min(at, site.get(version, FOREVER))
        first = min((version for _, version, _ in noted), default=newest)
        edges: dict[str, list[tuple[int, int]]] = {}
        for point, version, at in noted:
            begins = site.get(version, NEVER) if at == NEVER and version != first else at
            edges.setdefault(point, []).append((begins, version))
        self._spells = {point: _spells(own, site, point in index) for point, own in edges.items()}

    def spells(self, point: str) -> Sequence[Spell]:
        """Of a point by its id of today; the newest version at all times where nobody wrote it down."""
        return self._spells.get(point, [(NEVER, FOREVER, self._newest)])


def _spells(own: list[tuple[int, int]], site: Mapping[int, int], is_there: bool) -> list[Spell]:
    last = own[-1][1]
    gone = (
        FOREVER if is_there else min((at for version, at in site.items() if version > last), default=FOREVER)
    )
    ends = [*(at for at, _ in own[1:]), gone]
    return [(begin, end, version) for (begin, version), end in zip(own, ends, strict=True) if begin < end]


async def in_force(connection: Connection, site: SitePlan) -> InForce:
    """What is in force at every point of a site."""
    taken = await rows(
        connection,
        """
        SELECT id, version, CASE WHEN from_at = '-infinity' THEN %s
                                 ELSE (extract(epoch FROM from_at) * 1000000)::bigint END
          FROM plan_in_force JOIN point USING (point_no) WHERE site_no = %s
        """,
        [NEVER, site.site_no],
    )
    return InForce(((p, v, at) for p, v, at in taken), Names(site.plan), site.plan.version, site.plan.index)
