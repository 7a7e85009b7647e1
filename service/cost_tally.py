"""Adding up what things cost: exactly, and with what is known of how complete it is.

A tally is one line of an answer. It knows which meters (or sources) should have told something for how long, so that
what nobody told is a gap in it and never a saving.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from ingest.methods.figures import NoFigure
from ingest.model import Quality
from service.cost_rows import Bucket


@dataclass(slots=True)
class Told:
    """What one meter or source told for a line, µs."""

    expected_us: int = 0
    covered_us: int = 0
    valid_us: int = 0
    substituted_us: int = 0
    is_usable: bool = False


@dataclass(slots=True)
class Tally:
    """One line of costs."""

    from_at: int
    to_at: int
    money: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)
    units: set[str] = field(default_factory=set)
    """Of the amount; of more than one it means nothing."""
    told: dict[str, Told] = field(default_factory=dict)
    quality: int = Quality.GOOD
    reasons: int = 0
    least_revision: int | None = None
    revision: int = 0
    known_at: int = 0
    versions: set[int] = field(default_factory=set)
    prices: dict[str, str] = field(default_factory=dict)
    """Ids of prices → trust."""
    missing: NoFigure | None = None
    """Why some of it has no price or no mass."""

    def expect(self, member: str, from_at: int, to_at: int) -> None:
        """Count on a meter or source for a stretch of time."""
        self.from_at, self.to_at = min(self.from_at, from_at), max(self.to_at, to_at)
        self.told.setdefault(member, Told()).expected_us += to_at - from_at

    def add(self, bucket: Bucket, money: Fraction | None, amount: Fraction, unit: str | None) -> None:
        """Count a bucket in; without money there was no price."""
        told = self.told.setdefault(bucket.id, Told())
        told.covered_us += bucket.covered_us
        told.valid_us += bucket.valid_us
        told.substituted_us += bucket.substituted_us
        self.quality = max(self.quality, bucket.quality)
        self.reasons |= bucket.reasons
        least = bucket.least_revision
        self.least_revision = least if self.least_revision is None else min(self.least_revision, least)
        self.revision = max(self.revision, bucket.revision)
        self.known_at = max(self.known_at, bucket.known_at)
        self.versions.add(bucket.version)
        if bucket.amount is None:
            return
        if not bucket.amount.is_finite():
            self.missing = self.missing or NoFigure.NO_DATA
            return
        told.is_usable = True
        if money is None:
            self.missing = self.missing or NoFigure.NO_PRICE
            return
        self.money += money
        self.amount += amount
        if unit is not None:
            self.units.add(unit)

    def join(self, other: "Tally", sign: int = 1) -> None:
        """Add another line to this one, or take it from it."""
        self.from_at, self.to_at = min(self.from_at, other.from_at), max(self.to_at, other.to_at)
        self.money += sign * other.money
        self.amount += sign * other.amount
        self.units |= other.units
        self.told |= other.told
        self.quality = max(self.quality, other.quality)
        self.reasons |= other.reasons
        if other.least_revision is not None:
            least = other.least_revision if self.least_revision is None else self.least_revision
            self.least_revision = min(least, other.least_revision)
        self.revision = max(self.revision, other.revision)
        self.known_at = max(self.known_at, other.known_at)
        self.versions |= other.versions
        self.prices |= other.prices
        self.missing = self.missing or other.missing

    @property
    def valid_share(self) -> float:
        """Of the time in which something should have been told, of the worst member."""
        return min((_share(one.valid_us, one.expected_us) for one in self.told.values()), default=0.0)

    @property
    def substituted_share(self) -> float:
        """The same of substitutes."""
        return max((_share(one.substituted_us, one.expected_us) for one in self.told.values()), default=0.0)

    @property
    def is_covered(self) -> bool:
        """Whether nothing of it is missing."""
        return all(one.covered_us >= one.expected_us for one in self.told.values())

    def reason(self, least_share: float) -> NoFigure | None:
        """Why it has no value, with at least so much valid time asked for."""
        if self.missing is not None:
            return self.missing
        if not self.told or not all(one.is_usable for one in self.told.values()):
            return NoFigure.GAP if self.to_at > self.from_at else NoFigure.NO_DATA
        return NoFigure.GAP if self.valid_share < least_share else None


def _share(part_us: int, span_us: int) -> float:
    return min(1.0, part_us / span_us) if span_us > 0 else 0.0
