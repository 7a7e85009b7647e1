"""Hours made step by step are those made at once: whatever is told when, late, again, or taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.methods.limits import CONTROL_RULES
from ingest.methods.method import MethodConstant
from ingest.methods.schemes import SCHEMES
from ingest.model import HOUR
from ingest.plant.regime_plan import PlanComponent, PlanRegime
from ingest.regimes import calibrated, recertification, source_hours
from ingest.regimes.calibrated import Tests
from ingest.regimes.control import Calibrations
from ingest.regimes.hour_rows import HourRows
from ingest.regimes.recertification import REQUIRES
from ingest.regimes.source_hours import SourceHours, hours_of
from kernels.hours import HOUR_FACT
from kernels.rows import Records

N = 48
BEGIN = int(np.datetime64("2026-12-31T04:00", "us").astype(np.int64))
"""20 hours before a quarter and a year end."""
RULES = {
    "part75": "40cfr75.f-11", "hj75": "hj212-2017.33", "mrr": "mrr.eq-1", "part98": "40cfr98.c-6",
}  # fmt: skip
NAMES = ("concentration", "flow", "operating", "load", "cap")
SHORT = {
    "lookback_h": 6, "upper_short_h": 3, "middle_short_h": 2, "availability_h": 20, "oldest_h": 30, "upper_pct": 80,
    "middle_pct": 65, "lower_pct": 50, "short_h": 3, "short_lookback_h": 2, "long_lookback_h": 5, "low_lookback_h": 8,
}  # fmt: skip


def shortened(constant: MethodConstant) -> MethodConstant:
    return replace(constant, value=float(SHORT.get(constant.name, constant.value or 0)))


@contextmanager
def short_look_backs() -> Iterator[None]:
    """Two days are enough for every tier, look-back and grace."""
    schemes = {
        name: replace(one, constants=tuple(map(shortened, one.constants))) for name, one in SCHEMES.items()
    }
    rules = dict(CONTROL_RULES) | {"part75": replace(CONTROL_RULES["part75"], cover_h=6, grace_h=3)}
    with (
        patch.object(source_hours, "SCHEMES", schemes),
        patch.object(calibrated, "CONTROL_RULES", rules),
        patch.object(
            recertification,
            "limit_of",
            lambda name: {"conditional_linearity": 5, "conditional_rata": 9}[name],
        ),
    ):
        yield


@st.composite
def regimes(draw: st.DrawFn) -> PlanRegime:
    rule = draw(st.sampled_from(sorted(RULES)))
    operates, load = draw(st.booleans()), draw(st.booleans())
    return PlanRegime(
        rule=rule,
        equation=RULES[rule],
        kg_per_rate=907.18474,
        offset_us=draw(st.sampled_from([0, HOUR, -5 * HOUR])),
        since=None,
        components=(
            PlanComponent("concentration", 0, (1.0, 0.0), 16.0, ()),
            PlanComponent("flow", 1, (1.0, 0.0), 2e7, ()),
        ),
        operating=2 if operates else None,
        load=3 if load else None,
        load_edges=(30.0, 60.0) if load else (),
        cap=4,
        cap_value=5.0,
        from_o2=None,
        f_factors=(),
    )


def facts(seed: int, missing: float) -> dict[str, Records]:
    """Of every name and hour a fact, so many of them without a value; one without covered time is none."""
    chance, found = np.random.default_rng(seed), {}
    for name in NAMES:
        rows = np.zeros(N, HOUR_FACT)
        rows["start_at"] = BEGIN + HOUR * np.arange(N)
        valid = chance.random(N) >= missing
        rows["value"] = np.where(valid, chance.choice([10.0, 11.5, 12.25, -1.0, 50.0, 90.0], N), np.nan)
        rows["valid_us"] = rows["minutes_us"] = np.where(valid, HOUR, 0)
        rows["quarters"] = np.where(valid, 15, 3)
        if name in {"operating", "cap"}:
            often = 0.8 if name == "operating" else 0.1
            rows["on_us"] = np.where(chance.random(N) < often, HOUR, chance.choice([0, HOUR // 2], N))
            rows["quarters"] = np.where(rows["on_us"] == HOUR, 15, np.where(rows["on_us"] > 0, 3, 0))
            rows["value"] = np.nan
        rows["covered_us"] = np.where(chance.random(N) < 0.9, HOUR, 0)
        found[name] = rows
    return found


SEEDS, MISSING = st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05, 0.2, 0.5, 0.9])

TEST = st.tuples(
    st.sampled_from(["concentration", "flow"]),
    st.sampled_from(
        [
            "daily_calibration",
            "daily_calibration",
            "linearity",
            "rata",
            "drift",
            REQUIRES + "linearity",
            REQUIRES + "rata",
        ]
    ),
    st.integers(-2, 2 * N),  # half hours from the begin on
    st.booleans(),
)
STEP = st.tuples(
    st.integers(0, 12),  # hours to go on
    st.sets(st.integers(0, N - 1), max_size=3),  # hours told otherwise from now on
    st.lists(TEST, max_size=2),
    st.booleans(),  # whether the step is lost once, and done again
)


def calibrations(told: list[tuple[str, str, int, bool]]) -> Tests:
    found: dict[str, dict[str, Calibrations]] = {}
    for component, kind in sorted({one[:2] for one in told}):
        mine = {at: passed for name, of, at, passed in told if (name, of) == (component, kind)}
        at = np.array(sorted(mine), np.int64)
        passed = np.array([int(mine[one]) for one in at.tolist()], np.int64)
        found.setdefault(component, {})[kind] = Calibrations(BEGIN + at * (HOUR // 2), passed, np.zeros(0))
    return found


def there(known: dict[str, Records], hours: np.ndarray) -> dict[str, Records]:
    """The facts of some hours; none where nothing is covered."""
    chosen = {name: rows[hours] for name, rows in known.items()}
    return {name: rows[rows["covered_us"] > 0] for name, rows in chosen.items()}


def assert_same(ours: HourRows, theirs: HourRows) -> None:
    """Bit for bit."""
    assert ours.hours.tobytes() == theirs.hours.tobytes()
    assert ours.components.keys() == theirs.components.keys()
    for name, rows in ours.components.items():
        assert rows.tobytes() == theirs.components[name].tobytes(), name


def put(rows: HourRows, step: HourRows) -> HourRows:
    """Rows with those of a step in their places."""
    place = (step.hours["start_at"] - BEGIN) // HOUR
    size = max([rows.hours.size, *(place + 1).tolist()])

    def with_those(old: Records, new: Records) -> Records:
        found = np.zeros(size, old.dtype)
        found[: old.size] = old
        found[place] = new
        return found

    return HourRows(
        with_those(rows.hours, step.hours),
        {name: with_those(of, step.components[name]) for name, of in rows.components.items()},
    )


@settings(deadline=None, max_examples=100)
@given(
    regime=regimes(),
    seeds=st.tuples(SEEDS, SEEDS),
    missing=st.tuples(MISSING, MISSING),
    steps=st.lists(STEP, min_size=1, max_size=8),
)
def test_step_by_step_is_all_at_once(
    regime: PlanRegime,
    seeds: tuple[int, int],
    missing: tuple[float, float],
    steps: list[tuple[int, set[int], list[tuple[str, str, int, bool]], bool]],
) -> None:
    """After every step, the rows that it says have changed are all that have."""
    known, later = (facts(*one) for one in zip(seeds, missing, strict=True))
    hours, end = SourceHours(regime, BEGIN), 0
    told: list[tuple[str, str, int, bool]] = []
    with short_look_backs():
        for forward, again, tests, lost in steps:
            before, begun = hours.rows(), end
            end = min(end + forward, N)
            told += tests
            known = {name: rows.copy() for name, rows in known.items()}
            for name, rows in known.items():
                rows[sorted(again)] = later[name][sorted(again)]
            touched = np.array(sorted(hour for hour in again if hour < begun), np.int64)
            given_ = there(known, np.concatenate([touched, np.arange(begun, end)]))
            arguments = (given_, calibrations(told), BEGIN + end * HOUR, BEGIN + touched * HOUR)
            step = hours.advance(*arguments, tested=bool(tests))
            if lost:
                hours.undo(step)
                assert_same(hours.rows(), before)
                step = hours.advance(*arguments, tested=bool(tests))
            whole = hours_of(
                regime, there(known, np.arange(end)), calibrations(told), BEGIN, BEGIN + end * HOUR
            )
            assert_same(hours.rows(), whole)
            assert_same(put(before, step.rows), whole)
            assert_same(put(before, step.before), before)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_good_hour_makes_itself_alone(rule: str) -> None:
    """Of a year without an open gap, whatever lies behind."""
    regime = PlanRegime(
        rule, RULES[rule], 1.0, 0, None,
        (PlanComponent("concentration", 0, (1.0, 0.0), 16.0, ()), PlanComponent("flow", 1, (1.0, 0.0), 2e7, ())),
        None, None, (), None, 5.0, None, (),
    )  # fmt: skip
    n = 3000
    gas = np.zeros(n + 1, HOUR_FACT)
    gas["start_at"], gas["value"] = BEGIN + HOUR * np.arange(n + 1), 10.0
    gas["valid_us"] = gas["minutes_us"] = gas["covered_us"] = HOUR
    gas["quarters"] = 15
    given_ = {"concentration": gas, "flow": gas}
    hours = SourceHours(regime, BEGIN)
    hours.advance({name: rows[:n] for name, rows in given_.items()}, {}, BEGIN + n * HOUR)
    step = hours.advance({name: rows[n:] for name, rows in given_.items()}, {}, BEGIN + (n + 1) * HOUR)
    assert step.rows.hours["start_at"].tolist() == [BEGIN + n * HOUR]
    assert not step.before.hours.size
