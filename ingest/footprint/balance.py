"""The chain walked step by step: own emissions in, products out, and nothing lost between.

In a step a stage draws its inputs from stock, adds its own emissions and what it bought, and shares the sum
over what it made; stages go makers first, so a step's users see what was made in that step. For each kind,
with ==:

    opening + own + bought = left + stock + without production + uncounted

`uncounted` holds what a stage carried while the count of a product had a gap: no number without a
denominator. A figure with a reason against it is null; `without` names bought goods whose factor is unknown.
It knows no time but the number of a step, and no uncertainty.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ingest.footprint.chain import ChainError, Stage, in_order, shares
from ingest.footprint.stock import Drawn, Stock, add, draw

LEFT = "left"


@dataclass(frozen=True, slots=True)
class Emitted:
    """Own emissions or energy of a stage in a step, by kind."""

    step: int
    stage: str
    content: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Made:
    """Counts of a product made in a step; None if the count has a gap."""

    step: int
    product: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class Used:
    """Counts of a product that a stage (or `LEFT`: sold) took in a step; None if the count has a gap."""

    step: int
    product: str
    taker: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class Bought:
    """Goods from outside used by a stage; content None if their factor is unknown."""

    step: int
    stage: str
    goods: str
    content: Mapping[str, int] | None


Fact = Emitted | Made | Used | Bought


@dataclass(slots=True)
class Output:
    """What was made of a product over the span, what that carries, and why a figure would be wrong."""

    quantity: int = 0
    content: dict[str, int] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)

    def intensity(self, kind: str) -> Fraction | None:
        """Content per count; None with `reasons` or without production."""
        if self.reasons or not self.quantity:
            return None
        return Fraction(self.content.get(kind, 0), self.quantity)


@dataclass(slots=True)
class Walk:
    """The chain over a span. Totals by kind; `outputs`, `left` and `stocks` by product."""

    stocks: dict[str, Stock]
    outputs: dict[str, Output]
    left: dict[str, list[Drawn]] = field(default_factory=lambda: defaultdict(list))
    own: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    bought: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    carried_in: dict[tuple[str, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    without_production: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    uncounted: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))


@dataclass(slots=True)
class _Step:
    own: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    bought: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    unknown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    made: dict[str, int | None] = field(default_factory=dict)
    used: dict[str, dict[str, int | None]] = field(default_factory=lambda: defaultdict(dict))


def walk(stages: tuple[Stage, ...], opening: Mapping[str, Stock], facts: Iterable[Fact]) -> Walk:
    """Facts in any order → the chain.

    ChainError for a chain that is none or a fact outside it, ValueError for a negative count.
    """
    order = in_order(stages)
    given = tuple(facts)
    _refuse_strangers(order, opening, given)
    products = sorted(product for stage in order for product in stage.outputs)
    stocks = {one: _copied(opening.get(one, Stock())) for one in products}
    found = Walk(stocks, {product: Output() for product in products})
    steps = _by_step(given)
    for number in sorted(steps):
        step, drawn = steps[number], dict[str, dict[str, Drawn]]()
        for stage in order:
            _make(found, stage, step, drawn)
            for product in sorted(stage.outputs):
                drawn[product] = _draw(found, product, step)
    return found


def _refuse_strangers(
    order: tuple[Stage, ...], opening: Mapping[str, Stock], facts: tuple[Fact, ...]
) -> None:
    """A fact that no stage takes up would be lost, so it is refused by name."""
    products = {product for stage in order for product in stage.outputs}
    takes = {(stage.id, product) for stage in order for product in stage.inputs}
    takes |= {(LEFT, product) for product in products}
    buys = {(stage.id, goods) for stage in order for goods in stage.bought}
    stages = {stage.id for stage in order}
    for product, stock in opening.items():
        if product not in products:
            raise ChainError(f"opening stock of {product}, which no stage makes")
        if stock.quantity < 0 or (stock.quantity == 0 and any(stock.content.values())):
            raise ChainError(f"opening stock of {product} carries something in no quantity")
    for fact in facts:
        match fact:
            case Emitted(stage=stage) if stage not in stages:
                raise ChainError(f"emissions of {stage}, which is no stage")
            case Made(product=product) if product not in products:
                raise ChainError(f"{product} was made, but no stage makes it")
            case Used(product=product, taker=taker) if (taker, product) not in takes:
                raise ChainError(f"{taker} took {product}, which is none of its inputs")
            case Bought(stage=stage, goods=goods) if (stage, goods) not in buys:
                raise ChainError(f"{stage} bought {goods}, which is none of its bought inputs")
            case _:
                pass


def _copied(stock: Stock) -> Stock:
    return Stock(stock.quantity, dict(stock.content), set(stock.reasons))


def _by_step(facts: Iterable[Fact]) -> dict[int, _Step]:
    steps: dict[int, _Step] = defaultdict(_Step)
    for fact in facts:
        step = steps[fact.step]
        match fact:
            case Emitted():
                add(step.own[fact.stage], fact.content)
            case Bought(content=None):
                step.unknown[fact.stage].add(fact.goods)
            case Bought():
                add(step.bought[fact.stage], fact.content or {})
            case Made():
                step.made[fact.product] = _sum(step.made.get(fact.product, 0), fact.quantity)
            case Used():
                takers = step.used[fact.product]
                takers[fact.taker] = _sum(takers.get(fact.taker, 0), fact.quantity)
    return steps


def _sum(a: int | None, b: int | None) -> int | None:
    if b is not None and b < 0:
        raise ValueError("a count of a product is negative")
    return None if a is None or b is None else a + b


def _draw(found: Walk, product: str, step: _Step) -> dict[str, Drawn]:
    asked = step.used.get(product, {})
    stock = found.stocks[product]
    if None in asked.values():
        stock.reasons.add(f"{product}: what was drawn has a gap")
    drawn = draw(product, stock, {taker: count for taker, count in asked.items() if count is not None})
    if LEFT in drawn:
        found.left[product].append(drawn[LEFT])
    return drawn


def _make(found: Walk, stage: Stage, step: _Step, drawn: Mapping[str, Mapping[str, Drawn]]) -> None:
    content: dict[str, int] = {}
    reasons = {f"without {goods}" for goods in step.unknown.get(stage.id, ())}
    for kept, given in ((found.own, step.own), (found.bought, step.bought)):
        add(kept[stage.id], given.get(stage.id, {}))
        add(content, given.get(stage.id, {}))
    for product in stage.inputs:
        if step.used.get(product, {}).get(stage.id, 0) is None:
            reasons.add(f"{product}: what was drawn has a gap")
        one = drawn[product].get(stage.id)
        if one is not None:
            add(found.carried_in[stage.id, product], one.content)
            add(content, one.content)
            reasons |= one.reasons
    made = {product: step.made.get(product, 0) for product in stage.outputs}
    counted = {product: count for product, count in made.items() if count is not None}
    if len(counted) < len(made):
        add(found.uncounted[stage.id], content)
        gaps = {f"{product}: what was made has a gap" for product in made if product not in counted}
        _put(found, counted, {}, reasons | gaps, tuple(made))
    elif not any(counted.values()):
        add(found.without_production[stage.id], content)
    else:
        parts = {kind: shares(stage, counted, amount) for kind, amount in content.items()}
        _put(found, counted, parts, reasons, tuple(one for one, count in counted.items() if count))


def _put(
    found: Walk,
    made: Mapping[str, int],
    parts: Mapping[str, Mapping[str, int]],
    reasons: set[str],
    products: tuple[str, ...],
) -> None:
    for product in products:
        content = {kind: part[product] for kind, part in parts.items()}
        for one in (found.stocks[product], found.outputs[product]):
            one.quantity += made.get(product, 0)
            add(one.content, content)
            one.reasons |= reasons
