"""Every form and every refusal of wire contract v1, from two tables."""

import json
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.model import NO_SEQ, Quality, Reason
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import NO_ELEMENT, NO_TIME, Decoded, decode
from ingest.wire.times import EPOCH

FOLDER = Path(__file__).parent


def cases(name: str) -> list[Any]:
    table = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in table]


def delivery(case: dict[str, Any]) -> Delivery:
    text = case["raw"] if "raw" in case else json.dumps(case["payload"])
    return Delivery(case["topic"], text.encode(), received_at=0)


def rows_of(decoded: Decoded, plan: Plan) -> list[list[Any]]:
    """The readings as the tables write them."""

    def stamp(at: int) -> str | None:
        if at == NO_TIME:
            return None
        return (EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")

    return [
        [
            plan.points[decoded.point[i]].id.removeprefix("works/"),
            stamp(int(decoded.measured_at[i])),
            None if math.isnan(decoded.value[i]) else float(decoded.value[i]),
            Quality(decoded.quality[i]).name.lower(),
            Reason(int(decoded.reasons[i])).names,
            None if decoded.seq[i] == NO_SEQ else int(decoded.seq[i]),
            None if decoded.element[i] == NO_ELEMENT else int(decoded.element[i]),
        ]
        for i in range(len(decoded.point))
    ]


@pytest.mark.parametrize("case", cases("messages.good.json"))
def test_is_read(case: dict[str, Any], plan: Plan) -> None:
    decoded = decode([delivery(case)], plan)
    assert decoded.rejections == []
    assert rows_of(decoded, plan) == case["rows"]
    assert decoded.unknown_keys == case.get("unknown_keys", 0)
    assert decoded.nulls == case.get("nulls", 0)


@pytest.mark.parametrize("case", cases("messages.bad.json"))
def test_is_refused(case: dict[str, Any], plan: Plan) -> None:
    decoded = decode([delivery(case)], plan)
    found = [(item.element, item.reason.value, item.count) for item in decoded.rejections]
    assert found == [
        (element, reason, count[0] if count else 1) for element, reason, _, *count in case["refused"]
    ]
    for item, (_, _, sentence, *_) in zip(decoded.rejections, case["refused"], strict=True):
        assert sentence in item.detail
    assert rows_of(decoded, plan) == case.get("rows", [])


def test_a_faulty_message_leaves_its_neighbours(plan: Plan) -> None:
    good = [case.values[0] for case in cases("messages.good.json")]
    bad = [case.values[0] for case in cases("messages.bad.json")]
    mixed = [case for pair in zip(good, bad, strict=False) for case in pair]
    decoded = decode([delivery(case) for case in mixed], plan)
    assert rows_of(decoded, plan) == [row for case in mixed for row in case.get("rows", [])]
    assert {item.message for item in decoded.rejections} == {
        i for i, case in enumerate(mixed) if "refused" in case
    }
    assert decoded.message.tolist() == sorted(decoded.message.tolist())


def test_columns_have_the_types_of_the_kernels(plan: Plan) -> None:
    for messages in ([], [Delivery("plant/works/line1/power", b"1", 0)]):
        decoded = decode(messages, plan)
        kinds = [getattr(decoded, name).dtype.str for name in ("point", "message", "element")]
        assert kinds == ["<i4", "<i4", "<i4"]
        kinds = [getattr(decoded, name).dtype.str for name in ("measured_at", "quality", "reasons", "seq")]
        assert kinds == ["<i8"] * 4
        assert decoded.value.dtype.str == "<f8"
