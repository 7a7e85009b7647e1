"""The running blocks of a plan's demands, from the windows that are evaluated with every batch; for rules and for tests.

What rules see is what is *sure* (`ingest.methods.demand`): while nothing is, a block has no value, and nothing is
concluded from its absence. So a rule `above` the contract fires before the block ends and never in one that keeps it, as
long as the load does not fall by more than the contract's caution.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from ingest.methods.demand import Running, project, running_block
from ingest.methods.figures import fresh
from ingest.pipeline.batch import Latest, Rows
from ingest.pipeline.state import SiteState
from ingest.plant.plan import PlanKpi

Windows = Mapping[tuple[int, int], Latest]
"""(KPI, window in µs) → the KPI in it."""


def by_window(latest: list[Latest]) -> Windows:
    """The windows of a batch by KPI and length."""
    return {(one.kpi, one.window_us): one for one in latest}


def running_of(kpi: PlanKpi, place: int, latest: Windows) -> Running | None:
    """The running block of the KPI at `place` of the plan; None of another kind, or before it was evaluated."""
    if kpi.load_us is None or kpi.block_us is None:
        return None
    block, load = latest.get((place, kpi.block_us)), latest.get((place, kpi.load_us))
    if block is None or load is None:
        return None
    return running_block(
        block=(block.from_at, block.to_at, block.a, block.covered_us),
        load=(load.from_at, load.to_at, load.a, load.b, load.covered_us),
        length_us=kpi.block_us,
        contract=kpi.contract,
        caution=kpi.caution,
    )


class Watched(Protocol):
    """A demand that rules watch."""

    @property
    def place(self) -> int:
        """Of its KPI in the plan."""


class Evaluated(Protocol):
    """An evaluation of the pipeline's windows."""

    @property
    def now_us(self) -> int:
        """The time by which data are old."""

    @property
    def latest(self) -> Windows:
        """What has been evaluated."""


class DemandBlocks:
    """What running blocks surely come to, as rows of subjects."""

    def __init__(self, state: SiteState, subjects: Sequence[Watched]) -> None:
        """For subjects observed as `demand`."""
        self._wanted = [(state.plan.kpis[one.place], one.place) for one in subjects]

    def observe(self, moment: Evaluated, found: Rows) -> None:
        """As `/v1/demand` tells them; without a value where nothing is sure, or the data are too old."""
        for j, (kpi, place) in enumerate(self._wanted):
            running = running_of(kpi, place, moment.latest)
            if running is None or kpi.block_us is None:
                continue
            block = moment.latest[place, kpi.block_us]
            projection = project(running)
            told = projection.sure
            if (
                told is not None
                and running.contract is not None
                and not projection.announces(running.contract)
            ):
                told = min(told, running.contract)  # a rule compares without the tolerance of rounding
            sure, _ = fresh((told, None), moment.now_us - running.horizon_at, kpi.stale_after_us)
            share = block.valid_us / (block.to_at - block.from_at)
            found[j] = (
                np.nan if sure is None else sure, 1.0, share, block.quality, block.reasons, block.to_at, block.from_at,
                block.to_at,
            )  # fmt: skip
