"""What a topic speaks for: one point, or a unit and the points below it.

Built once per plan, so that a message costs one dictionary look-up. A unit's
table holds its points by the path that leads from the unit to them, the
site's table therefore all points by site-relative id. Computed points have no
topic, nor have those that analyses tell; retired ones keep theirs, since late readings of their time still count.
"""

from dataclasses import dataclass

from ingest.plant.plan import Plan
from ingest.wire.refusal import RefusedError, RejectReason, shown


@dataclass(frozen=True, slots=True)
class UnitTopic:
    """The points a unit's topic can name."""

    id: str
    """Full id of the unit; the site's own id for the site."""
    points: dict[str, int]
    """Path below the unit → index of a measured point."""
    is_site: bool


class Topics:
    """The topics of one plan."""

    def __init__(self, plan: Plan) -> None:
        self._prefix = f"{plan.topic_prefix}/"
        self._computed = {point.id for point in plan.points[plan.n_measured :]}
        self.points: dict[str, int] = {}
        """Topic → index of a measured point."""
        self.units: dict[str, UnitTopic] = {}
        """Topic → the unit it stands for."""
        self._analysed = {point.id for point in plan.points if point.analysis is not None}
        for index, point in enumerate(plan.points[: plan.n_measured]):
            if point.analysis is not None:
                continue
            self.points[self._prefix + point.id] = index
            self._add_to_units(point.id, index, plan.site)
        self.points.update(plan.topics)
        self.others = frozenset(plan.mes.topics)
        """Topics on which something else than readings comes."""

    def _add_to_units(self, point_id: str, index: int, site: str) -> None:
        segments = point_id.split("/")
        for depth in range(1, len(segments)):
            unit_id = "/".join(segments[:depth])
            topic = self._prefix + unit_id
            unit = self.units.get(topic)
            if unit is None:
                unit = self.units[topic] = UnitTopic(unit_id, {}, unit_id == site)
            unit.points["/".join(segments[depth:])] = index

    def no_such_topic(self, topic: str) -> RefusedError:
        """Return the refusal of a topic that is in neither table."""
        return self._no_such(topic.removeprefix(self._prefix), f"topic {shown(topic)}")

    def no_such_point(self, unit: UnitTopic, path: str) -> RefusedError:
        """Return the refusal of a path that the unit's table does not hold."""
        return self._no_such(f"{unit.id}/{path}", f"{shown(path)} in a message of {unit.id}")

    def _no_such(self, point_id: str, what: str) -> RefusedError:
        if point_id in self._computed:
            return RefusedError(
                RejectReason.COMPUTED_POINT,
                f"{what} is a computed point, which only the plan may say; a measured one was expected.",
            )
        if point_id in self._analysed:
            return RefusedError(
                RejectReason.ANALYSED_POINT,
                f"{what} is what approved analyses give, which documents tell; a measured point was expected.",
            )
        return RefusedError(
            RejectReason.UNKNOWN_POINT, f"{what} names no point of the plan; a declared one was expected."
        )
