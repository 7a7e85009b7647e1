"""The hours of a measured source by the rule of its regime, as ingest has made them.

An account beside the integral of `/v1/emissions`, never added to it: substitutes of a
regime overstate on purpose. Figures are never rounded here but in `reported`, where the
regime's rule says how; a number of the regime that nobody read in the rule itself is named.
"""

import asyncio
import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from ingest.methods.hour_states import HourReason
from ingest.methods.limits import unconfirmed_of_recertification
from ingest.methods.regimes import MASS, REGIME_RULES, RegimeRule
from ingest.methods.registry import METHODS
from ingest.methods.schemes import DETERMINATIONS, SCHEMES
from ingest.model import HOUR, Cause, Quality
from ingest.plant.plan import Plan, PlanSource
from ingest.plant.regime_plan import PlanRegime
from ingest.units import amount_unit
from service import cursors, past_hours, substituted_hours
from service.as_of import AsOfDocument, Known
from service.documents import Document, Instant, Page
from service.figures import QUALITY_NAMES, QualityName
from service.store import Connection, Row, row, rows
from service.substituted_hours import NOTHING, SubstitutedDocument, Told
from service.times import to_datetime

State = Literal["measured", "stopped", "replaced", "below_min_capture", "no_lookback", "no_rule"]


class ComponentDocument(Document):
    """What stands in an hour for one quantity of the equation, or for the mass itself."""

    name: str = Field(description="concentration, flow, moisture or o2; mass where the regime replaces that")
    value: float | None = Field(description="Measured, or the substitute; null: none, see state")
    reported: float | None = Field(description="The same as the regime rounds it")
    unit: str
    code: int | None = Field(description="Method of determination of Part 75; null: the regime has none")
    meaning: str = Field(description="What the code, or else the state, means")
    state: State
    provisional: bool = Field(description="Will be told anew when the gap ends or the period closes")
    availability_pct: float | None = Field(description="That chose the substitute")
    gap_h: int | None = Field(description="Hours of the gap it lies in; 0: measured; null: reason not_kept")
    rests_on: int | None = Field(description="Hours the substitute was made from; null: reason not_kept")
    valid: bool = Field(description="By the regime's rule for hours")
    out_of_control: bool = Field(description="By the tests of its analyser")
    conditional: bool = Field(False, description="Under reserve of tests that a recertification requires")
    best_estimate: float | None = Field(
        description="Of a substitute: the mean of the hours looked back at, or itself where it is such a mean; else null"
    )
    bias_conservative: float | None = Field(description="The substitute less it: overstated on purpose")
    u: float | None = Field(
        description="Standard uncertainty of the best estimate: the spread of those hours; null: not replaced, or too few"
    )


class RegimeHour(Document):
    """One hour of a source by its regime."""

    from_: Instant = Field(alias="from")
    to: Instant
    mass_kg: float | None = Field(description="Rate by the time the unit ran; null: see reasons")
    rate: float | None = Field(description="By the equation, in `rate_unit`")
    reported_rate: float | None = Field(description="The same as the regime rounds it")
    operating_h: float = Field(description="How long the unit ran in it")
    quality: QualityName
    bias_conservative_kg: float | None = Field(
        description="Of an hour with substitutes: its mass less that of their best estimates; else null"
    )
    u_kg: float | None = Field(description="Standard uncertainty of those best estimates; null likewise")
    provisional: bool
    reasons: list[str] = Field(
        description="stopped, operation_unknown, diluent_cap, out_of_control, …; not_kept: as of an earlier batch it was"
        " provisional, and time alone has moved its numbers since"
    )
    components: list[ComponentDocument]
    revision: int
    cause: str = Field(description="Why it was last said anew: closing, late, test, …")
    plan_version: int
    batch_no: int
    known_at: Instant | None = Field(description="null: reason not_kept")


class RegimeHoursPage(Page[RegimeHour]):
    """A page of a source's hours."""

    id: str
    rule: str
    title: str
    equation: str
    trust: str = Field(description="R: all of its numbers were read in the rule; else unconfirmed")
    unconfirmed: list[str] = Field(description="Numbers of it that nobody read in the rule itself")
    label: str | None = Field(description="Where a rule is used by analogy only")
    utc_offset_h: float = Field(description="The regime's own time less UTC, all year")
    rate_unit: str
    from_: Instant = Field(alias="from")
    to: Instant
    hours: int = Field(description="Hours that begin in the span, all pages together")
    without_mass: int = Field(description="Of these, those that have none")
    sum_kg: float | None = Field(
        description="Sum of all of them; null while one has none. An account of its own, in no other sum"
    )
    reported_sum: float | None = Field(
        description="Sum of reported rates by operating time, in `reported_unit`; null: as sum_kg, or replaced mass"
    )
    reported_unit: str
    substituted: SubstitutedDocument
    as_of: AsOfDocument


async def page(
    connection: Connection,
    plan: Plan,
    source: PlanSource,
    span: tuple[int, int],
    limit: int,
    cursor: str | None,
    known: Known,
) -> RegimeHoursPage:
    """Hours that begin in the span (µs), oldest first; the source has a regime."""
    regime = source.regime
    assert regime is not None
    number = await row(connection, "SELECT source_no FROM source WHERE id = %s", [source.id])
    asked: dict[str, object] = {
        "number": -1 if number is None else number[0],
        "batch": known.batch_no,
        "from": to_datetime(span[0]),
        "to": to_datetime(span[1]),
    }
    after = span[0] if cursor is None else cursors.decode(cursor, (cursors.INSTANT,))[0] + 1
    found = await rows(
        connection,
        f"""
        SELECT * FROM ({past_hours.rows_of(_COLUMNS, _SPAN, known)}) h
         WHERE start_at >= %(after)s ORDER BY start_at LIMIT %(limit)s
        """,  # noqa: S608  fragments of this module
        {**asked, "after": to_datetime(max(after, span[0])), "limit": limit + 1},
    )
    more = len(found) > limit
    del found[limit:]
    sums = await rows(
        connection,
        past_hours.rows_of("mass_kg, rate, operating_us, quality::int", _SPAN, known),
        asked,
    )
    substituted = NOTHING
    if number is not None and any(quality == Quality.SUBSTITUTED for *_, quality in sums):
        held = await substituted_hours.read(connection, regime, number[0], span, known)
        substituted = await asyncio.to_thread(substituted_hours.told_of, regime, *held, span)
    return RegimeHoursPage(
        **_head(source.id, regime, sums),
        from_=span[0],
        to=span[1],
        as_of=known.document,
        substituted=substituted.whole,
        items=[_hour(plan, regime, one, substituted.hours.get(one[0])) for one in found],
        next=cursors.encode([found[-1][0]]) if more else None,
    )


def _head(source_id: str, regime: PlanRegime, sums: list[Row]) -> dict[str, Any]:
    """What is said once: the rule with its trust, and the sums of all hours of the span."""
    rule, unit = REGIME_RULES[regime.rule], METHODS[regime.equation].unit or ""
    without = sum(mass is None for mass, *_ in sums)
    return {
        "id": source_id,
        "rule": rule.id,
        "title": rule.title,
        "equation": regime.equation,
        "trust": rule.trust,
        "unconfirmed": _unconfirmed(rule),
        "label": _label(rule),
        "utc_offset_h": regime.offset_us / HOUR,
        "rate_unit": unit,
        "hours": len(sums),
        "without_mass": without,
        "sum_kg": None if without or not sums else math.fsum(mass for mass, *_ in sums),
        "reported_sum": _reported_sum(regime, rule, sums),
        "reported_unit": amount_unit(unit),
    }


_SPAN = "source_no = %(number)s AND start_at >= %(from)s AND start_at < %(to)s"
_COLUMNS = (
    "start_at, mass_kg, rate, operating_us, quality::int, provisional, reasons, components, revision, cause::int,"
    " plan_version, begun_batch, batch_no, known_at"
)


def _unconfirmed(rule: RegimeRule) -> list[str]:
    schemes = dict.fromkeys(rule.schemes.values())
    found = [f"{scheme}: {name}" for scheme in schemes for name in SCHEMES[scheme].unconfirmed]
    if rule.recertifies:
        found += [f"recertification: {name}" for name in unconfirmed_of_recertification()]
    return found


def _label(rule: RegimeRule) -> str | None:
    labels = (SCHEMES[scheme].label for scheme in rule.schemes.values())
    return next((label for label in labels if label is not None), None)


def _reported_sum(regime: PlanRegime, rule: RegimeRule, sums: list[Row]) -> float | None:
    """Σ rounded rate · time, the products not rounded."""
    if not sums or MASS in rule.schemes or any(mass is None for mass, *_ in sums):
        return None
    rounding = METHODS[regime.equation].rounding
    return math.fsum(rounding.apply(rate) * (us / HOUR) for _, rate, us, _ in sums if rate is not None)


def _hour(plan: Plan, regime: PlanRegime, found: Row, told: Told | None) -> RegimeHour:
    (
        start,
        mass,
        rate,
        operating_us,
        quality,
        provisional,
        reasons,
        said,
        revision,
        cause,
        version,
        begun_batch,
        batch,
        known_at,
    ) = found
    is_kept = known_at is not None
    rounding = METHODS[regime.equation].rounding
    order = [component.name for component in regime.components]
    return RegimeHour(
        from_=start,
        to=start + HOUR,
        mass_kg=mass,
        rate=rate,
        reported_rate=None if rate is None else rounding.apply(rate),
        operating_h=operating_us / HOUR,
        quality=QUALITY_NAMES[quality],
        bias_conservative_kg=None if told is None else told.bias_kg,
        u_kg=None if told is None else told.u_kg,
        provisional=provisional,
        reasons=[*HourReason(reasons).names, *([] if is_kept else ["not_kept"])],
        components=[
            _component(
                plan,
                regime,
                name,
                said[name] if is_kept else past_hours.forgotten(said[name]),
                {} if told is None else told.components,
            )
            for name in (*order, MASS)
            if name in said
        ],
        revision=revision,
        cause=Cause(cause).name.lower(),
        plan_version=version,
        batch_no=batch if is_kept else begun_batch,
        known_at=known_at,
    )


def _component(
    plan: Plan,
    regime: PlanRegime,
    name: str,
    said: dict[str, Any],
    told: Mapping[str, tuple[float, float, float]],
) -> ComponentDocument:
    best, bias, u = told.get(name, (None, None, None))
    scheme = REGIME_RULES[regime.rule].schemes.get(name)
    points = {component.name: component.point for component in regime.components}
    code, value = said["code"] or None, said["value"]
    reported = value if value is None or scheme is None else SCHEMES[scheme].rounding.apply(value)
    return ComponentDocument(
        name=name,
        unit="kg" if name == MASS else plan.points[points[name]].unit,
        meaning=_MEANINGS[said["state"]] if code is None else DETERMINATIONS[code],
        reported=reported,
        best_estimate=best,
        bias_conservative=bias,
        u=u,
        **{**said, "code": code},
    )


_MEANINGS = {
    "measured": "measured",
    "stopped": "the unit did not run",
    "replaced": "substituted by the regime's scheme",
    "below_min_capture": "too little was measured for the regime to have a substitute",
    "no_lookback": "nothing was measured to make a substitute from",
    "no_rule": "missing, and not replaced by the regime",
}
