"""Stages of a plant: who makes which product, from which others, shared by which key.

A product is made by one stage. Co-products share what their stage carries by the stage's key (ISO 14067:
subdivide first, by giving them stages of their own; then a physical relation; then prices). This module
knows neither points nor units: quantities are integer counts, contents integers on the caller's grid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal

Key = Literal["mass", "energy", "economic", "shares"]


class ChainError(ValueError):
    """A chain that cannot be walked; the message names the stages or products."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Makes `outputs` from `inputs` (products of other stages) and `bought` goods.

    `outputs`: product → its weight in `key`: per count made (1 for mass in one unit, heating value, price),
    or under `shares` its fixed part. Weights are positive integers; only their ratio matters.
    """

    id: str
    outputs: Mapping[str, int]
    key: Key = "mass"
    inputs: tuple[str, ...] = ()
    bought: tuple[str, ...] = ()


def made_by(stages: tuple[Stage, ...]) -> dict[str, Stage]:
    """Product → the stage that makes it. ChainError if two do, or a weight is not positive."""
    found: dict[str, Stage] = {}
    for stage in stages:
        if not stage.outputs:
            raise ChainError(f"stage {stage.id} makes nothing")
        for product, weight in stage.outputs.items():
            if product in found:
                raise ChainError(f"{product} is made by both {found[product].id} and {stage.id}")
            if weight <= 0:
                raise ChainError(f"stage {stage.id}: the weight of {product} is not positive")
            found[product] = stage
    return found


def in_order(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Stages, makers before users. ChainError names unknown inputs, twins and cycles."""
    by_id = {stage.id: stage for stage in sorted(stages, key=lambda one: one.id)}
    if len(by_id) != len(stages):
        raise ChainError("two stages have the same id")
    makers = made_by(stages)
    before: dict[str, list[str]] = {}
    for stage in by_id.values():
        unknown = [product for product in stage.inputs if product not in makers]
        if unknown:
            raise ChainError(f"stage {stage.id} uses {unknown[0]}, which no stage makes")
        before[stage.id] = sorted(makers[product].id for product in stage.inputs)
    try:
        return tuple(by_id[one] for one in TopologicalSorter(before).static_order())
    except CycleError as error:
        raise ChainError(f"stages go round: {' → '.join(error.args[1])}") from error


def upstream(stages: tuple[Stage, ...], product: str) -> tuple[Stage, ...]:
    """The stage of a product and all it rests on, makers first."""
    wanted, found = {product}, []
    for stage in reversed(in_order(stages)):
        if wanted & set(stage.outputs):
            wanted.update(stage.inputs)
            found.append(stage)
    return tuple(reversed(found))


def shares(stage: Stage, made: Mapping[str, int], content: int) -> dict[str, int]:
    """`content` over the products made, by the stage's key; the parts add up to it with ==.

    A product of which nothing was made gets nothing. At least one count in `made` has to be positive.
    """
    weights = {
        product: weight * (1 if stage.key == "shares" else made[product])
        for product, weight in sorted(stage.outputs.items())
        if made[product] > 0
    }
    return split(content, weights, sum(weights.values()))


def split(content: int, parts: Mapping[str, int], whole: int) -> dict[str, int]:
    """The parts' share of `content` out of `whole`: cumulative floors, so all parts of a whole are all of it."""
    taken, reached = 0, 0
    found: dict[str, int] = {}
    for name, part in parts.items():
        reached += part
        upto = content * reached // whole
        found[name], taken = upto - taken, upto
    return found
