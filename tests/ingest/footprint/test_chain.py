"""The chain of stages: it closes with == whatever the graph, the order of facts, gaps and short stocks."""

import copy
from collections import Counter
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.footprint.balance import LEFT, Bought, Emitted, Fact, Made, Used, Walk, walk
from ingest.footprint.chain import ChainError, Key, Stage, in_order, split
from ingest.footprint.stock import Stock

KEYS: list[Key] = ["mass", "energy", "economic", "shares"]
kinds = st.dictionaries(st.sampled_from(["co2", "kwh"]), st.integers(-(10**6), 10**15))
counts = st.one_of(st.none(), st.integers(0, 10**9), st.integers(0, 5))


@st.composite
def chains(draw: st.DrawFn) -> tuple[tuple[Stage, ...], dict[str, Stock], list[Fact]]:
    stages: list[Stage] = []
    for number in range(draw(st.integers(1, 5))):
        earlier = [product for stage in stages for product in stage.outputs]
        inputs = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        outputs = {
            f"p{number}{letter}": draw(st.integers(1, 50)) for letter in "ab"[: draw(st.integers(1, 2))]
        }
        key: Key = draw(st.sampled_from(KEYS))
        stages.append(Stage(f"s{number}", outputs, key, tuple(inputs), ("gypsum",)))
    opening: dict[str, Stock] = {}
    facts: list[Fact] = []
    for stage in stages:
        for product in stage.outputs:
            if draw(st.booleans()):
                opening[product] = Stock(draw(st.integers(1, 10**9)), draw(kinds))
    for step in range(draw(st.integers(1, 3))):
        for stage in stages:
            facts.append(Emitted(step, stage.id, draw(kinds)))
            facts.append(Bought(step, stage.id, "gypsum", draw(st.one_of(st.none(), kinds))))
            facts.extend(Used(step, product, stage.id, draw(counts)) for product in stage.inputs)
            for product in stage.outputs:
                facts.append(Made(step, product, draw(counts)))
                facts.append(Used(step, product, LEFT, draw(counts)))
    return tuple(draw(st.permutations(stages))), opening, facts


def total(contents: list[dict[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for content in contents:
        for kind, amount in content.items():
            found[kind] += amount
    return Counter({kind: amount for kind, amount in found.items() if amount})


def entered(opening: dict[str, Stock], facts: list[Fact]) -> Counter[str]:
    """From the facts alone, without the walk."""
    given_in = [stock.content for stock in opening.values()]
    own = [dict(fact.content) for fact in facts if isinstance(fact, Emitted)]
    bought = [dict(fact.content) for fact in facts if isinstance(fact, Bought) and fact.content is not None]
    return total(given_in + own + bought)


def accounted(found: Walk) -> Counter[str]:
    left = [dict(drawn.content) for one in found.left.values() for drawn in one]
    stocks = [stock.content for stock in found.stocks.values()]
    return total(left + stocks + list(found.without_production.values()) + list(found.uncounted.values()))


@given(chains(), st.randoms(use_true_random=False))
def test_closes_in_any_order(
    drawn: tuple[tuple[Stage, ...], dict[str, Stock], list[Fact]], random: Random
) -> None:
    stages, opening, facts = drawn
    before = copy.deepcopy(opening)
    found = walk(stages, opening, facts)
    assert accounted(found) == entered(opening, facts)
    assert opening == before
    assert all(stock.quantity >= 0 for stock in found.stocks.values())
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert walk(tuple(reversed(stages)), opening, shuffled) == found


@given(st.integers(-(10**18), 10**18), st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_parts_of_a_whole_are_all_of_it(content: int, parts: list[int]) -> None:
    named = {str(number): part for number, part in enumerate([*parts, 1])}
    assert sum(split(content, named, sum(named.values())).values()) == content


QUARRY = Stage("quarry", {"limestone": 1})
KILN = Stage("kiln", {"clinker": 1}, inputs=("limestone",))
MILL = Stage("mill", {"cement": 1}, inputs=("clinker",), bought=("gypsum",))
PLANT = Stage("batching", {"concrete": 1}, inputs=("cement",))
CEMENT_WORKS = (PLANT, KILN, QUARRY, MILL)


def day(step: int = 0) -> list[Fact]:
    """Counts in t (concrete: m3), CO2 in kg."""
    return [
        Emitted(step, "quarry", {"co2": 6000}), Made(step, "limestone", 1500),
        Used(step, "limestone", "kiln", 1400),
        Emitted(step, "kiln", {"co2": 800_000}), Made(step, "clinker", 1000),
        Used(step, "clinker", "mill", 700),
        Emitted(step, "mill", {"co2": 16_080}), Bought(step, "mill", "gypsum", {"co2": 1000}),
        Made(step, "cement", 1000), Used(step, "cement", "batching", 250), Used(step, "cement", LEFT, 500),
        Emitted(step, "batching", {"co2": 1000}), Made(step, "concrete", 1000),
        Used(step, "concrete", LEFT, 1000),
    ]  # fmt: skip


def test_quarry_to_concrete() -> None:
    found = walk(CEMENT_WORKS, {}, day())
    # limestone 6000 / 1500 = 4 kg/t; the kiln carries in 1400 t · 4 = 5600
    assert found.outputs["limestone"].intensity("co2") == 4
    assert found.carried_in["kiln", "limestone"] == {"co2": 5600}
    # clinker (800 000 + 5600) / 1000 = 805.6; the mill carries in 700 · 805.6 = 563 920
    assert found.outputs["clinker"].intensity("co2") == Fraction(8056, 10)
    assert found.carried_in["mill", "clinker"] == {"co2": 563_920}
    # cement (563 920 + 16 080 + 1000) / 1000 = 581; 250 t go on as 145 250
    assert found.outputs["cement"].intensity("co2") == 581
    # concrete (145 250 + 1000) / 1000 m3 = 146.25
    assert found.outputs["concrete"].intensity("co2") == Fraction(14625, 100)
    assert found.stocks["clinker"] == Stock(300, {"co2": 241_680})
    assert accounted(found) == entered({}, day())


def test_opening_stock_moves_the_mean() -> None:
    # (100 t · 1000 + 1000 t · 805.6) / 1100 t · 700 t = 576 290.9…, floored to the grid; the rest stays
    found = walk(CEMENT_WORKS, {"clinker": Stock(100, {"co2": 100_000})}, day())
    assert found.carried_in["mill", "clinker"] == {"co2": 576_290}
    assert found.stocks["clinker"] == Stock(400, {"co2": 905_600 - 576_290})


def test_co_products_share_by_key() -> None:
    facts: list[Fact] = [Emitted(0, "s", {"co2": 100}), Made(0, "a", 30), Made(0, "b", 10)]
    by_mass = walk((Stage("s", {"a": 1, "b": 1}),), {}, facts)
    assert [by_mass.outputs[one].content["co2"] for one in "ab"] == [75, 25]
    by_price = walk((Stage("s", {"a": 1, "b": 7}, "economic"),), {}, facts)
    assert [by_price.outputs[one].content["co2"] for one in "ab"] == [30, 70]
    by_shares = walk((Stage("s", {"a": 9, "b": 1}, "shares"),), {}, facts)
    assert [by_shares.outputs[one].content["co2"] for one in "ab"] == [90, 10]


def test_what_is_not_known_makes_no_figure() -> None:
    gap = [Made(0, "clinker", None) if fact == Made(0, "clinker", 1000) else fact for fact in day()]
    found = walk(CEMENT_WORKS, {}, gap)
    assert found.uncounted["kiln"] == {"co2": 805_600}
    for product in ("clinker", "cement", "concrete"):
        assert found.outputs[product].intensity("co2") is None
        assert "clinker: what was made has a gap" in found.outputs[product].reasons
    assert found.outputs["limestone"].intensity("co2") == 4

    unknown = [Bought(0, "mill", "gypsum", None) if isinstance(fact, Bought) else fact for fact in day()]
    found = walk(CEMENT_WORKS, {}, unknown)
    assert found.outputs["concrete"].reasons == {"without gypsum"}
    assert found.outputs["concrete"].intensity("co2") is None
    assert found.outputs["clinker"].intensity("co2") == Fraction(8056, 10)


def test_more_drawn_than_in_stock_is_named() -> None:
    facts = [
        Used(0, "clinker", "mill", 1300) if fact == Used(0, "clinker", "mill", 700) else fact
        for fact in day()
    ]
    found = walk(CEMENT_WORKS, {}, facts)
    assert found.carried_in["mill", "clinker"] == {"co2": 805_600}
    assert found.outputs["cement"].reasons == {"clinker: more was drawn than was in stock"}
    assert found.outputs["cement"].intensity("co2") is None
    assert accounted(found) == entered({}, facts)


def test_emitting_without_production() -> None:
    facts = [fact for fact in day() if not isinstance(fact, Made) or fact.product != "limestone"]
    assert walk(CEMENT_WORKS, {}, facts).without_production["quarry"] == {"co2": 6000}


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ((Stage("a", {"x": 1}, inputs=("y",)), Stage("b", {"y": 1}, inputs=("x",))), "a → b → a|b → a → b"),
        ((Stage("a", {"x": 1}, inputs=("z",)),), "a uses z, which no stage makes"),
        ((Stage("a", {"x": 1}), Stage("b", {"x": 1})), "x is made by both a and b"),
        ((Stage("a", {"x": 1}), Stage("a", {"y": 1})), "the same id"),
        ((Stage("a", {}),), "a makes nothing"),
        ((Stage("a", {"x": 0}),), "the weight of x is not positive"),
    ],
)
def test_refused_by_name(stages: tuple[Stage, ...], says: str) -> None:
    with pytest.raises(ChainError, match=says):
        in_order(stages)


@pytest.mark.parametrize(
    "fact",
    [
        Emitted(0, "office", {"co2": 1}),
        Made(0, "slag", 1),
        Used(0, "clinker", "batching", 1),
        Bought(0, "kiln", "coal", None),
    ],
)
def test_a_fact_outside_the_chain_is_refused(fact: Fact) -> None:
    with pytest.raises(ChainError):
        walk(CEMENT_WORKS, {}, [fact])
