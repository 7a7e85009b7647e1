"""What an evaluation of alert rules has come to: states to be kept, and what became of episodes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.rule_rows import MEMORY, RULE_STATE


@dataclass(slots=True)
class Standing:
    """Where the rules of a plan stand."""

    states: npt.NDArray[np.void]
    """RULE_STATE, one per rule."""
    told_at: npt.NDArray[np.int64]
    past_at: npt.NDArray[np.int64]
    past_value: npt.NDArray[np.float64]
    """[n, MEMORY] each, as `kernels.rules.step_rules` has them."""

    @staticmethod
    def new(rules: int, tolds: int, memories: int, never: int) -> "Standing":
        """Of rules never looked at."""
        states = np.zeros(rules, RULE_STATE)
        for name in ("pending_at", "fired_at", "held_from", "seen_at", "born_at"):
            states[name] = never
        return Standing(
            states,
            np.full((tolds, MEMORY), never, np.int64),
            np.full((memories, MEMORY), never, np.int64),
            np.zeros((memories, MEMORY)),
        )

    def copy(self) -> "Standing":
        """To be stepped while this one stays as it is."""
        return Standing(self.states.copy(), self.told_at.copy(), self.past_at.copy(), self.past_value.copy())


@dataclass(frozen=True, slots=True)
class Kept:
    """The row of one rule, as it is stored."""

    watches: str
    """What it watched; a rule that watches something else now begins anew."""
    state: npt.NDArray[np.void]
    """RULE_STATE, one row."""
    told_at: list[int]
    past_at: list[int]
    past_value: list[float]
    """Empty: it remembers none."""


@dataclass(frozen=True, slots=True)
class Told:
    """One change of an episode, as it is kept."""

    episode: str
    rule: str
    what: int
    """FIRED, RESOLVED or TOLD of `kernels.rule_rows`."""
    mute: int
    """Why people are not told; of RESOLVED 1 if they never were."""
    pending_at: int
    fired_at: int
    at: int
    """When it is so in the plant: of an episode's beginning `fired_at`."""
    data: dict[str, Any]
    """Of the event."""


@dataclass(slots=True)
class Alerted:
    """What goes into the transaction of a batch."""

    after: Standing
    """Becomes current when the batch is committed."""
    changed: npt.NDArray[np.int64]
    """Rules whose rows are to be written."""
    told: list[Told] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Rules whose rows are to go: no version has them any more."""

    @property
    def empty(self) -> bool:
        """Whether nothing is to be written."""
        return not (self.changed.size or self.told or self.gone)
