"""SUBSCRIBE is sent for what the session lacks, UNSUBSCRIBE for what it has too much, nothing else."""

import pytest

from ingest.mqtt.patience import Patience
from ingest.mqtt.subscriptions import DOUBT_S, FILTERS_PER_SUBSCRIBE, Subscriptions


class Broker:
    """Grants every filter but those under `secret/`, and keeps a record."""

    def __init__(self) -> None:
        self.said: list[tuple[str, list[str]]] = []

    async def subscribe(self, topic: list[tuple[str, int]], /, **_: float | None) -> list[int]:
        assert all(qos == 1 for _, qos in topic)
        self.said.append(("subscribe", [name for name, _ in topic]))
        return [0x80 if name.startswith("secret/") else 1 for name, _ in topic]

    async def unsubscribe(self, topic: list[str], /, **_: float | None) -> None:
        self.said.append(("unsubscribe", topic))


async def test_only_differences_are_said() -> None:
    broker, told = Broker(), list[tuple[str, ...]]()
    subscriptions = Subscriptions("marker", (), told.append)
    subscriptions.want(["a", "b", "a"])
    await subscriptions.agree(broker)
    await subscriptions.agree(broker)
    subscriptions.want(["b", "c"])
    assert subscriptions.changed.is_set()
    await subscriptions.agree(broker)
    assert not subscriptions.changed.is_set()
    subscriptions.forget()
    await subscriptions.agree(broker)
    assert broker.said == [
        ("subscribe", ["a", "b", "marker"]),
        ("unsubscribe", ["a"]),
        ("subscribe", ["c"]),
        ("subscribe", ["b", "c", "marker"]),
    ]
    assert told == [("a", "b", "marker"), ("b", "c", "marker"), ("b", "c", "marker")]


async def test_what_an_earlier_run_held_is_not_said_again() -> None:
    broker = Broker()
    subscriptions = Subscriptions("marker", ["old", "a", "marker"], None)
    subscriptions.want(["a"])
    await subscriptions.agree(broker)
    assert broker.said == [("unsubscribe", ["old"])]


async def test_what_was_added_of_late_is_asked_for_again_when_a_session_is_taken_up() -> None:
    broker, now = Broker(), [0.0]
    subscriptions = Subscriptions("marker", (), None, lambda: now[0])
    for wanted in (["a"], ["a", "b"]):
        subscriptions.want(wanted)
        await subscriptions.agree(broker)
    for now[0] in (DOUBT_S - 1, 2 * DOUBT_S):
        subscriptions.doubt()
        await subscriptions.agree(broker)
    assert broker.said == [("subscribe", ["a", "marker"]), ("subscribe", ["b"]), ("subscribe", ["b"])]


async def test_a_refused_filter_is_named_and_asked_for_again(caplog: pytest.LogCaptureFixture) -> None:
    broker, told = Broker(), list[tuple[str, ...]]()
    subscriptions = Subscriptions("marker", (), told.append)
    subscriptions.want(["a", "secret/#"])
    await subscriptions.agree(broker)
    await subscriptions.agree(broker)
    assert subscriptions.refused == ("secret/#",)
    assert broker.said[1:] == [("subscribe", ["secret/#"])]
    assert told == [("a", "marker")]
    assert [record.getMessage() for record in caplog.records] == [
        "the broker refuses the subscription to secret/#"
    ]


async def test_many_filters_take_several_packets() -> None:
    broker = Broker()
    subscriptions = Subscriptions("marker", (), None)
    names = [f"plant/{number}" for number in range(2 * FILTERS_PER_SUBSCRIBE)]
    subscriptions.want(names)
    await subscriptions.agree(broker)
    assert [len(part) for _, part in broker.said] == [FILTERS_PER_SUBSCRIBE, FILTERS_PER_SUBSCRIBE, 1]
    assert [name for _, part in broker.said for name in part] == [*names, "marker"]


def test_pauses_double_up_to_the_longest_and_jitter_takes_at_most_half() -> None:
    patience = Patience(first_s=0.25, longest_s=30.0)
    assert [patience.before(attempt, 0.0) for attempt in (0, 1, 2, 6, 7, 5000)] == [0.25, 0.5, 1, 16, 30, 30]
    assert patience.before(1, 0.999) == pytest.approx(0.25, rel=0.01)
