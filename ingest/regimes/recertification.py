"""Conditional data after a recertification: what stands under reserve, and what is lost when a test fails.

From the event until a passed calibration an analyser is out of control; from there its data
are conditional until every required test is passed, which makes them good. A failed one takes
all back to the event, until it is passed; one that is not done within its operating hours (or days) takes
what comes after them. The next event ends what the one before began. 40 CFR 75.20(b)(3) as
it was restated to us: unconfirmed.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from ingest.methods.limits import CONDITIONAL, limit_of
from ingest.model import DAY
from ingest.regimes.control import FOREVER, Calibrations, Spans
from kernels.rows import Records

REQUIRES = "recertification requires "
"""With the kind of a required test: the key of the events among tests."""


def is_event(kind: str) -> bool:
    """Whether tests of a kind are events that require one."""
    return kind.startswith(REQUIRES)


def spans(tests: Mapping[str, Calibrations], daily: str, hours: Records) -> tuple[Spans, Spans]:
    """(out of control, conditional) of an analyser; all times in the regime's own.

    Args:
        tests: kind → its tests, the events among them.
        daily: the kind of the calibration that begins conditional data.
        hours: HOUR_ROW from the last event on that matters.
    """
    out, conditional = [], []
    for event, following in pairwise([*event_times(tests), FOREVER]):
        begins = _first_passed(tests.get(daily), event)
        out.append((event, min(begins, following)))
        if begins >= following:
            continue
        passed = [begins]
        for kind in required(tests, event):
            done = _first_passed(tests.get(kind), begins)
            late = _deadline(kind, begins, hours)
            if _any_failed(tests.get(kind), begins, min(done, following)):
                out.append((event, min(done, following)))
            elif late < done:
                out.append((late, min(done, following)))
            passed.append(done)
        if max(passed) >= following:
            conditional.append((begins, following))
    return _joined(out), _joined(conditional)


def event_times(tests: Mapping[str, Calibrations]) -> list[int]:
    """When an analyser was recertified, in order."""
    return sorted({at for kind, of_kind in tests.items() if is_event(kind) for at in of_kind.at.tolist()})


def required(tests: Mapping[str, Calibrations], event: int) -> list[str]:
    """Kinds of tests that an event requires."""
    return sorted(
        kind.removeprefix(REQUIRES)
        for kind, of_kind in tests.items()
        if is_event(kind) and event in of_kind.at.tolist()
    )


def settled_at(tests: Mapping[str, Calibrations], daily: str, event: int) -> int:
    """From when on an event takes nothing any more and nothing is conditional."""
    begins = _first_passed(tests.get(daily), event)
    if begins == FOREVER:
        return FOREVER
    return max([begins, *(_first_passed(tests.get(kind), begins) for kind in required(tests, event))])


def _first_passed(tests: Calibrations | None, since: int) -> int:
    if tests is None:
        return FOREVER
    at = tests.at[(tests.at >= since) & (tests.passed != 0)]
    return int(at[0]) if at.size else FOREVER


def _any_failed(tests: Calibrations | None, since: int, until: int) -> bool:
    return tests is not None and bool(((tests.at >= since) & (tests.at < until) & (tests.passed == 0)).any())


def _deadline(kind: str, begins: int, hours: Records) -> int:
    """The begin of the hour that the required test of a kind must precede."""
    ran = hours[(hours["start_at"] + DAY // 24 > begins) & (hours["operating"] != 0)]["start_at"]
    most = int(limit_of(CONDITIONAL[kind]))
    if kind == "seven_day":
        days, first = np.unique(ran // DAY, return_index=True)
        return int(ran[first[most]]) if days.size > most else FOREVER
    return int(ran[most]) if ran.size > most else FOREVER


def _joined(found: list[tuple[int, int]]) -> Spans:
    """Disjoint and in order."""
    begin, end = list[int](), list[int]()
    for low, high in sorted(one for one in found if one[0] < one[1]):
        if end and low <= end[-1]:
            end[-1] = max(end[-1], high)
        else:
            begin.append(low)
            end.append(high)
    return Spans(np.array(begin, np.int64), np.array(end, np.int64))
