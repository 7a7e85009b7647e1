"""The running blocks of a plan's demands, from the windows that are evaluated with every batch."""

from collections.abc import Mapping

from ingest.methods.demand import Running, running_block
from ingest.pipeline.batch import Latest
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
