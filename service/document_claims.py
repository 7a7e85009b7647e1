"""What a document is said to say, judged against the plan: its span, its amount, its unit and basis.

A claim is what remains of a body: counts of the activity, or a value in the property's
unit. Nothing is guessed: an analysis has to name the basis that its property has. What it
contradicts of other documents is `service.documenting`'s business.
"""

import hashlib
import math
import re
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, ConfigDict, Field, Strict

from ingest.errors import InputError
from ingest.pipeline.admission import YEAR_2000
from ingest.plant.papers import PlanActivity, PlanAnalysis
from ingest.plant.plan import Plan
from ingest.units import conversion, measure
from service.claims import Asked, Note
from service.problems import invalid
from service.site_time import EXPECTED, site_instant
from service.times import format_instant

DocumentKind = Literal["invoice", "weighbridge", "stock_change", "analysis", "other"]
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MOST_COUNTS = 2**62
_LONGEST_US = 3660 * 86_400_000_000


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("expected printable characters, and not only blanks")
    return text


def _digest(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise ValueError("expected the SHA-256 of the file as 64 hexadecimal digits")
    return text.lower()


Exact = Annotated[float, Strict()]
"""A number and nothing that could be read as one."""
Word = Annotated[str, Field(max_length=200), AfterValidator(_printable)]


class DocumentAsked(Asked):
    """What a document says of one activity or property."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, populate_by_name=True)

    kind: DocumentKind
    number: Word = Field(description="The document's own number")
    activity: str | None = Field(
        None, max_length=255, description="Id of the activity it tells of; of all but an analysis"
    )
    analysis: str | None = Field(
        None, max_length=255, description="Id of the property that was determined; of an analysis"
    )
    from_: str | None = Field(None, alias="from", max_length=40, description=f"First instant: {EXPECTED}")
    to: str | None = Field(None, max_length=40, description="End, exclusive: a date is its midnight")
    lot: Word | None = Field(None, description="The lot delivered; an analysis of a lot is in force for it")
    quantity: Exact | None = Field(None, description="Amount of the activity; below 0 only of a stock change")
    value: Exact | None = Field(None, description="Of an analysis")
    unit: str | None = Field(None, max_length=100, description="Default: the activity's, the property's")
    basis: list[str] = Field([], max_length=4, description="What the unit leaves open: NCV, dry, wet, …")
    file_sha256: Annotated[str, AfterValidator(_digest)] = Field(description="SHA-256 of the file")
    supersedes: Annotated[int, Strict()] | None = Field(
        None, ge=1, lt=2**61, description="The document that it replaces"
    )
    note: Note | None = Field(None, description="Anything else")


class OneDocumentAsked(DocumentAsked):
    """A document of a site."""

    site: str = Field(max_length=255)


@dataclass(frozen=True, slots=True)
class DocumentClaim:
    """What a document says."""

    kind: str
    number: str
    subject: str
    """Id of the activity or the property."""
    from_at: int | None
    to_at: int | None
    lot: str | None
    count: int | None
    value: float | None
    body: dict[str, Any]
    """As it was said."""
    file_sha256: str
    supersedes: int | None
    note: str
    withdraws: int | None = None

    def digest(self, author: str) -> bytes:
        """What tells it from every other."""
        said = [getattr(self, field.name) for field in fields(self)]
        return hashlib.sha256(msgspec.json.encode([*said, author])).digest()


def claim_of(plan: Plan, asked: DocumentAsked, now: int) -> DocumentClaim:
    """The claim of a body; `now` is µs of UTC.

    Raises:
        ProblemError: it names what the plan has not, or cannot have said so.
    """
    from_at, to_at = _span(plan, asked, now)
    count: int | None
    value: float | None
    if asked.kind == "analysis":
        subject, count, value, said = *_analysed(plan, asked), asked.value
    else:
        subject, count, value, said = *_counted(plan, asked), asked.quantity
    return DocumentClaim(
        kind=asked.kind,
        number=asked.number,
        subject=subject,
        from_at=from_at,
        to_at=to_at,
        lot=asked.lot,
        count=count,
        value=value,
        body={"said": said, "unit": asked.unit, "basis": asked.basis},
        file_sha256=asked.file_sha256,
        supersedes=asked.supersedes,
        note=asked.note or "",
    )


def withdrawal(given: DocumentClaim, document_no: int, note: str) -> DocumentClaim:
    """The claim that a document be undone."""
    return DocumentClaim(
        "withdrawal", given.number, given.subject, None, None, None, None, None, {}, given.file_sha256, None,
        note, document_no,
    )  # fmt: skip


def _span(plan: Plan, asked: DocumentAsked, now: int) -> tuple[int | None, int | None]:
    if asked.from_ is None and asked.to is None and asked.kind == "analysis":
        if asked.lot is None:
            raise invalid("Body", "from", None, "the span in which the analysis is valid, or its lot")
        return None, None
    ends = {}
    for name, text in (("from", asked.from_), ("to", asked.to)):
        if text is None:
            raise invalid("Body", name, None, EXPECTED)
        try:
            ends[name] = site_instant(text, plan.zone)
        except ValueError as error:
            raise invalid("Body", name, text, str(error).removeprefix("expected ")) from None
        if ends[name] < YEAR_2000:
            raise invalid("Body", name, text, "an instant since 2000")
    if not 0 < ends["to"] - ends["from"] <= _LONGEST_US:
        expected = f"an end after {format_instant(ends['from'])}, at most 3660 days later"
        raise invalid("Body", "to", asked.to, expected)
    if asked.kind != "analysis" and ends["to"] > now:
        raise invalid("Body", "to", asked.to, f"an instant that is past, it is {format_instant(now)}")
    return ends["from"], ends["to"]


def _analysed(plan: Plan, asked: DocumentAsked) -> tuple[str, None, float]:
    for name, given in (("activity", asked.activity), ("quantity", asked.quantity)):
        if given is not None:
            raise invalid("Body", name, given, "nothing of an analysis, which has `analysis` and `value`")
    known = {one.id: one for one in plan.analyses}
    found = known.get(asked.analysis or "")
    if found is None:
        raise invalid("Body", "analysis", asked.analysis, _one_of(plan, "analyses", known))
    if asked.value is None:
        raise invalid("Body", "value", None, f"what was determined, in {asked.unit or found.unit}")
    multiplier, offset = _conversion(asked, found, said=True)
    value = float(Fraction(repr(asked.value)) * Fraction(repr(multiplier)) + Fraction(repr(offset)))
    if not 0 <= value < math.inf:
        raise invalid("Body", "value", asked.value, "a number of at least 0")
    return found.id, None, value


def _counted(plan: Plan, asked: DocumentAsked) -> tuple[str, int, None]:
    for name, given in (("analysis", asked.analysis), ("value", asked.value)):
        if given is not None:
            raise invalid(
                "Body", name, given, f"nothing of kind {asked.kind}, which has `activity` and `quantity`"
            )
    known = {one.id: one for one in plan.activities}
    found = known.get(asked.activity or "")
    if found is None:
        raise invalid("Body", "activity", asked.activity, _one_of(plan, "documented activities", known))
    if asked.quantity is None:
        raise invalid("Body", "quantity", None, f"an amount in {asked.unit or found.unit}")
    if asked.quantity < 0 and asked.kind != "stock_change":
        raise invalid("Body", "quantity", asked.quantity, "a number of at least 0, for it is no stock_change")
    multiplier, offset = _conversion(asked, found, said=bool(asked.basis))
    if offset:
        raise invalid("Body", "unit", asked.unit, "a unit of amounts, without an offset")
    exact = Fraction(repr(asked.quantity)) * Fraction(repr(multiplier)) / Fraction(repr(found.resolution))
    count = _half_away(exact)
    if abs(count) >= _MOST_COUNTS:
        expected = f"fewer than 2^62 counts of {found.resolution} {found.unit}"
        raise invalid("Body", "quantity", asked.quantity, expected)
    return found.id, count, None


def _half_away(exact: Fraction) -> int:
    size = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return size if exact >= 0 else -size


def _conversion(
    asked: DocumentAsked, wanted: PlanActivity | PlanAnalysis, *, said: bool
) -> tuple[float, float]:
    """(multiplier, offset) to the unit of the plan; `said`: the document's basis has to be the plan's."""
    unit = asked.unit or wanted.unit
    try:
        if said:
            given = measure(unit, tuple(asked.basis)).basis
            if given != set(wanted.basis):
                expected = f"{_basis(wanted.basis)}, as the plant file has {wanted.id}"
                raise invalid("Body", "basis", " ".join(sorted(given)) or "none", expected)
        return conversion(unit, wanted.unit, wanted.basis)
    except InputError as refusal:
        raise invalid("Body", "unit", unit, f"one that converts to {wanted.unit}: {refusal}") from None
    except KeyError:
        raise invalid("Body", "basis", " ".join(asked.basis), _basis(wanted.basis)) from None


def _basis(words: tuple[str, ...]) -> str:
    return " and ".join(words) or "none"


def _one_of(plan: Plan, what: str, known: dict[str, Any]) -> str:
    return f"one of the {what} of site {plan.site}: {', '.join(known) or 'it has none'}"
