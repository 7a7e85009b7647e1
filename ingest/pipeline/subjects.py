"""What alert rules watch: one table of subjects, filled by those who observe them.

A plan names its subjects (`ingest.plant.plan_alerts`). Each way of observing is a class
that is made once per plan and state, for the subjects it is to fill, and is asked at
every evaluation. It reads state and moment and changes neither; it is called in the
kernels' thread, so it may not wait.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.pipeline.batch import Batch, IntArray, Latest, Rows
from ingest.pipeline.state import SiteState
from ingest.plant.plan_alerts import PlanSubject
from kernels.rule_rows import SUBJECT

__all__ = ["SUBJECT", "Moment", "Observe", "Subjects"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One evaluation."""

    now_us: int
    """The time by which data are old: of a live site UTC, of a replayed one its watermark."""
    batch: Batch
    """Its intervals and emissions are all that were closed since the evaluation before."""
    latest: Mapping[tuple[int, int], Latest]
    """Every KPI in each of its windows (plan index, window in µs), at its present horizon."""
    reaches: IntArray
    """Per point of the plan the instant up to which its signal is known, µs; NEVER: never heard of."""


class Subjects(Protocol):
    """One way of observing."""

    def observe(self, moment: Moment, found: Rows) -> None:
        """Fill a row (SUBJECT) of each subject this was made for, in their order.

        `value` NaN: there is none, and nothing is concluded from its absence. `to_at` is the instant the row
        speaks of: a rule's time. It may stand still, never go back. Rows keep what they
        held at the evaluation before; at the first `value` is NaN and `at` and `to_at` are NEVER.
        """
        ...


Observe = Callable[[SiteState, Sequence[PlanSubject]], Subjects]
"""Makes the observer of some subjects; one per `PlanSubject.observed` in `ingest.pipeline.observers`."""
