"""A stock of one product: its quantity and what it carries, at the moving weighted mean.

Draws take the mean of the step; what a floor leaves stays in the stock, and the last count takes all. A draw
beyond the stock (a meter is wrong) takes what is there, and the rest is named as `missing`. Reasons for which
a figure of this stock would be wrong stay until an opening says anew what is there: a book that says empty
after a gap is no empty silo.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.footprint.chain import split


@dataclass(slots=True)
class Stock:
    """`quantity` in counts, `content` by kind on the caller's grid, `reasons` against its figures."""

    quantity: int = 0
    content: dict[str, int] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one taker got: `quantity` asked for, of which `missing` was not in stock."""

    quantity: int
    missing: int
    content: Mapping[str, int]
    reasons: frozenset[str]


def add(content: dict[str, int], more: Mapping[str, int]) -> None:
    """Adds kind by kind, in place."""
    for kind, amount in more.items():
        content[kind] = content.get(kind, 0) + amount


def draw(product: str, stock: Stock, asked: Mapping[str, int]) -> dict[str, Drawn]:
    """Takes `asked` (taker → counts) from the stock at one mean; short stocks are shared in proportion."""
    wanted = {taker: asked[taker] for taker in sorted(asked)}
    total = sum(wanted.values())
    there = min(total, stock.quantity)
    got = split(there, wanted, total) if total else wanted
    reasons = set(stock.reasons)
    if total > stock.quantity:
        reasons.add(f"{product}: more was drawn than was in stock")
    taken: dict[str, dict[str, int]] = {taker: {} for taker in wanted}
    for kind, amount in stock.content.items() if stock.quantity else ():
        for taker, part in split(amount, got, stock.quantity).items():
            taken[taker][kind] = part
    for part_of in taken.values():
        add(stock.content, {kind: -amount for kind, amount in part_of.items()})
    stock.quantity -= there
    stock.reasons = reasons
    return {
        taker: Drawn(
            quantity,
            quantity - got[taker],
            taken[taker],
            frozenset(reasons) if quantity else frozenset(),
        )
        for taker, quantity in wanted.items()
    }
