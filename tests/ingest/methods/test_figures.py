"""From sums to figures: every kind, and every reason for none."""

import math

import pytest

from ingest.methods.figures import KpiKind, NoFigure, combine, fresh
from ingest.model import HOUR


@pytest.mark.parametrize(
    ("kind", "a", "b", "value"),
    [
        (KpiKind.RATIO, 5500.0, 100.0, 55.0),
        (KpiKind.RATIO, 0.0, 100.0, 0.0),
        (KpiKind.RATE, 157.18, 0.25, 628.72),
        (KpiKind.DEMAND, 157.18, 0.25, 628.72),
        (KpiKind.TOTAL, 959_636.71, 0.0, 959_636.71),
        (KpiKind.POWER_FACTOR, 3.0, 4.0, 0.6),
        (KpiKind.POWER_FACTOR, 0.0, 4.0, 0.0),
        (KpiKind.LOAD_FACTOR, 109.547, 628.72, 0.17423813462272554),
    ],
)
def test_value(kind: KpiKind, a: float, b: float, value: float) -> None:
    assert combine(kind, a, b, HOUR) == (value, None)


@pytest.mark.parametrize(
    ("kind", "a", "b", "reason"),
    [
        (KpiKind.RATIO, 12.0, 0.0, NoFigure.NO_PRODUCTION),
        (KpiKind.RATIO, 0.0, 0.0, NoFigure.NO_PRODUCTION),
        (KpiKind.RATIO, 12.0, -1.0, NoFigure.NO_PRODUCTION),
        (KpiKind.RATE, 12.0, 0.0, NoFigure.GAP),
        (KpiKind.POWER_FACTOR, 0.0, 0.0, NoFigure.ZERO_OVER_ZERO),
        (KpiKind.LOAD_FACTOR, 0.0, 0.0, NoFigure.ZERO_OVER_ZERO),
        (KpiKind.TOTAL, math.nan, 1.0, NoFigure.NO_DATA),
        (KpiKind.RATIO, 1.0, math.inf, NoFigure.NO_DATA),
    ],
)
def test_no_value(kind: KpiKind, a: float, b: float, reason: NoFigure) -> None:
    assert combine(kind, a, b, HOUR) == (None, reason)


@pytest.mark.parametrize("kind", list(KpiKind))
def test_nothing_covered_is_a_gap(kind: KpiKind) -> None:
    assert combine(kind, 1.0, 1.0, 0) == (None, NoFigure.GAP)


def test_stale() -> None:
    figure = combine(KpiKind.RATIO, 1.0, 2.0, HOUR)
    assert fresh(figure, 300, 300) == (0.5, None)
    assert fresh(figure, 301, 300) == (None, NoFigure.STALE)
    assert fresh(figure, 10**15, None) == (0.5, None)
