"""Which decoded readings are taken, and what is noted about them.

The wire says what a message means; this says whether it may be true: its time
against the time of arrival, its value against the plan's limits. Columns in,
columns out, one pass of masks over a batch. It reads no clock, and decides
nothing by what a point said before; that is the tail's business.

A time of arrival replaces a missing time, so the reading is uncertain; two
times it may not replace, that of a delta (its period would move) and that of a
retained message (it may be years old).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ingest.model import MINUTE, NEVER, SECOND, Kind, Quality, Reason
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import NO_ELEMENT, NO_TIME, Decoded, Rejection, RejectReason
from ingest.wire.refusal import Refusals
from ingest.wire.times import EPOCH

YEAR_2000 = 946_684_800 * SECOND
MOST_AHEAD = 5 * MINUTE
"""A reading further ahead of its arrival is refused, µs."""
SUSPICIOUS_LEAD = 30 * SECOND
HEARD_WITHIN = MINUTE
LEAST_HEARD = 3
"""Fewer points are no majority against our clock."""

_MOST_COUNTS = 2.0**62
"""Registers beyond it would leave int64 when one is taken from another."""
_MOST_DELTA_COUNTS = 2.0**53
"""A thousand such amounts in one interval still fit int64; three of 2^62 would wrap to a negative one."""
_ABSURD = 1e100
"""No unit measures anything so large; such a number would turn sums of squares and products infinite."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The readings of a batch that are stored, in the order they came, and what was refused."""

    point: NDArray[np.int32]
    measured_at: NDArray[np.int64]
    received_at: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int64]
    reasons: NDArray[np.int64]
    seq: NDArray[np.int64]
    message: NDArray[np.int32]
    element: NDArray[np.int32]
    rejections: list[Rejection]
    """Of decoding and of admission, by message and element."""
    at_most_once: int
    """Readings taken from QoS 0 messages, which no guarantee covers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Between which values readings may lie, per measured point."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @staticmethod
    def of(plan: Plan) -> "Limits":
        """Those of a plan, and of what can be counted."""
        measured = slice(plan.n_measured)
        kind = plan.params["kind"][measured]
        resolution = plan.params["resolution"][measured]
        largest = np.where(kind == Kind.COUNTER, resolution * _MOST_COUNTS, _ABSURD)
        largest = np.where(kind == Kind.DELTA, resolution * _MOST_DELTA_COUNTS, largest)
        return Limits(
            np.maximum(plan.params["low"][measured], -largest),
            np.minimum(plan.params["high"][measured], largest),
        )

    def take(self, points: NDArray[np.integer]) -> "Limits":
        """Those of some points."""
        return Limits(self.low[points], self.high[points])


@dataclass(frozen=True, slots=True)
class EarlierLimits:
    """The limits of an earlier version of the plan, per measured point of the present one."""

    until: NDArray[np.int64]
    """The edge before which they hold, µs; NEVER: they never do."""
    limits: Limits


class Admission:
    """The rules of one plan."""

    def __init__(self, plan: Plan) -> None:
        measured = slice(plan.n_measured)
        self._ids = [point.id for point in plan.points[measured]]
        self._limits = Limits.of(plan)
        self._is_delta = plan.params["kind"][measured] == Kind.DELTA
        never = -NEVER
        self._until = np.array(
            [never if point.until is None else point.until for point in plan.points[measured]], np.int64
        )

    def admit(
        self, decoded: Decoded, messages: Sequence[Delivery], earlier: Sequence[EarlierLimits] = ()
    ) -> Admitted:
        """Return what is stored of the readings decoded from these messages.

        A reading of the time of an `earlier` version, of which the newest is the first, is judged by its limits.
        """
        received_at = np.array([message.received_at for message in messages], np.int64)[decoded.message]
        retained = np.array([message.retain for message in messages], np.bool_)[decoded.message]
        timeless = decoded.measured_at == NO_TIME
        measured_at = np.where(timeless, received_at, decoded.measured_at)
        keep, rejections = self._refused(decoded, measured_at, received_at, timeless, retained)
        limits = self._limits_of(decoded.point, measured_at, earlier)
        quality, reasons = _noted(decoded, measured_at > received_at, timeless, limits)
        unguarded = np.array([message.qos == 0 for message in messages], np.bool_)[decoded.message]
        columns = (
            decoded.point, measured_at, received_at, decoded.value, quality, reasons, decoded.seq,
            decoded.message, decoded.element,
        )  # fmt: skip
        if not keep.all():
            columns = tuple(column[keep] for column in columns)  # type: ignore[assignment]
        return Admitted(*columns, rejections=rejections, at_most_once=int((unguarded & keep).sum()))

    def _refused(
        self,
        decoded: Decoded,
        measured_at: NDArray[np.int64],
        received_at: NDArray[np.int64],
        timeless: NDArray[np.bool_],
        retained: NDArray[np.bool_],
    ) -> tuple[NDArray[np.bool_], list[Rejection]]:
        keep = np.ones(len(measured_at), np.bool_)
        masks = {
            RejectReason.RETAINED_WITHOUT_TIME: timeless & retained,
            RejectReason.DELTA_WITHOUT_TIME: timeless & self._is_delta[decoded.point],
            RejectReason.BEFORE_2000: measured_at < YEAR_2000,
            RejectReason.FUTURE: measured_at - received_at > MOST_AHEAD,
            RejectReason.RETIRED: measured_at >= self._until[decoded.point],
        }
        refusals = Refusals(decoded.rejections)
        for reason, mask in masks.items():
            for row in np.flatnonzero(mask & keep).tolist():
                element = int(decoded.element[row])
                refusals.add(
                    int(decoded.message[row]),
                    None if element == NO_ELEMENT else element,
                    reason,
                    _sentence(reason, self._ids[decoded.point[row]], measured_at[row], received_at[row]),
                )
            keep &= ~mask
        return keep, refusals.all()

    def _limits_of(
        self, point: NDArray[np.int32], measured_at: NDArray[np.int64], earlier: Sequence[EarlierLimits]
    ) -> Limits:
        """The limits that each reading is judged by."""
        found = self._limits.take(point)
        for one in earlier:
            mine = measured_at < one.until[point]
            found.low[mine] = one.limits.low[point[mine]]
            found.high[mine] = one.limits.high[point[mine]]
        return found


def _noted(
    decoded: Decoded, ahead: NDArray[np.bool_], timeless: NDArray[np.bool_], limits: Limits
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    quality, reasons = decoded.quality.copy(), decoded.reasons.copy()
    doubtful = timeless | ahead
    np.maximum(quality, Quality.UNCERTAIN, out=quality, where=doubtful)
    reasons[timeless] |= Reason.NO_TIME
    reasons[ahead] |= Reason.FUTURE
    value = decoded.value
    impossible = (value < limits.low) | (value > limits.high)
    reasons[impossible] |= Reason.RANGE
    # uncertain means "used": what has no value cannot be, whatever its publisher calls it
    quality[impossible | np.isnan(value)] = Quality.BAD
    return quality, reasons


def leads(decoded: Decoded, messages: Sequence[Delivery]) -> NDArray[np.int64]:
    """Return how far each reading's own time is ahead of its arrival, µs; 0 without a time."""
    received_at = np.array([message.received_at for message in messages], np.int64)[decoded.message]
    return np.where(decoded.measured_at == NO_TIME, 0, decoded.measured_at - received_at)


class ClockSuspicion:
    """Whether our own clock is behind, judged by the points heard in the last minute.

    While it is suspect nothing may be refused, stored or acknowledged, and what
    was received has to be received again: `received_at` came from that clock.
    """

    def __init__(self, points: int) -> None:
        self._heard_at = np.full(points, NEVER, np.int64)
        self._ahead = np.zeros(points, np.bool_)

    def hear(self, point: NDArray[np.int32], lead: NDArray[np.int64], now: int) -> None:
        """Note readings and how far they were ahead; `now` in µs of a clock that never steps."""
        self._heard_at[point] = now
        self._ahead[point] = lead > SUSPICIOUS_LEAD

    def suspect(self, now: int) -> bool:
        """Return whether more than half of the points heard within a minute are over 30 s ahead."""
        heard = self._heard_at > now - HEARD_WITHIN
        total = int(heard.sum())
        return total >= LEAST_HEARD and 2 * int((heard & self._ahead).sum()) > total


def _sentence(reason: RejectReason, point_id: str, measured_at: int, received_at: int) -> str:
    match reason:
        case RejectReason.RETAINED_WITHOUT_TIME:
            return f"{point_id} has no ts in a retained message; its own time was expected."
        case RejectReason.DELTA_WITHOUT_TIME:
            return f"{point_id} has no ts, but is the amount of a period; its end was expected."
        case RejectReason.BEFORE_2000:
            return f"ts of {point_id} is {_shown(measured_at)}; a time since 2000 was expected."
        case RejectReason.FUTURE:
            return (
                f"ts of {point_id} is {_shown(measured_at)}, but it arrived at {_shown(received_at)}; "
                "at most 5 min ahead was expected."
            )
        case _:
            return f"ts of {point_id} is {_shown(measured_at)}; a time before its `until` was expected."


def _shown(instant: int) -> str:
    return (EPOCH + timedelta(microseconds=int(instant))).isoformat().replace("+00:00", "Z")
