"""Factors that change with time, compiled: from which instant on what a source's amount weighs.

Every step begins on an edge of intervals, so an interval has one value. A day begins at
midnight in the plant's zone. Several series of one source change where any of them does.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime
from fractions import Fraction
from math import nan
from zoneinfo import ZoneInfo

from ingest.model import SECOND
from ingest.plant.catalogue import Catalogue
from ingest.plant.entries import Source
from ingest.plant.factors import Factor
from ingest.plant.fields import format_span
from ingest.plant.instruments import due_instant


def steps_of(catalogue: Catalogue, source: Source, number: Fraction) -> tuple[tuple[int, float], ...]:
    """(instant in µs, kg per amount from it on) of a source with series among its factors.

    Args:
        catalogue: of the file.
        source: the source.
        number: kg per amount without the values of its series.

    NaN where a value is not known. Raises PlantError for steps that do not ascend, or off the edges.
    """
    series = [
        _edges(catalogue, catalogue.factors[factor_id])
        for factor_id in source.factors
        if catalogue.factors[factor_id].series
    ]
    found = []
    for at in sorted({at for instants, _ in series for at in instants}):
        value: Fraction | None = number
        for instants, values in series:
            since = bisect_right(instants, at) - 1
            one = None if since < 0 else values[since]
            value = None if value is None or one is None else value * one
        found.append((at, nan if value is None else float(value)))
    return tuple(found)


def instants_of(catalogue: Catalogue, factor: Factor) -> list[int]:
    """From when on each step of a series holds, µs; PlantError as `steps_of`."""
    return _edges(catalogue, factor)[0]


def _edges(catalogue: Catalogue, factor: Factor) -> tuple[list[int], list[Fraction | None]]:
    """The instants of a series and the values that hold from them on."""
    file, zone = catalogue.file, ZoneInfo(catalogue.file.time_zone)
    place = ("factors", next(i for i, one in enumerate(file.factors) if one.id == factor.id))
    instants: list[int] = []
    values: list[Fraction | None] = []
    for i, step in enumerate(factor.series):
        at, where = _instant(step.since, zone), (*place, "series", i, "since")
        if at % file.interval:
            expected = f"an edge of intervals of {format_span(file.interval)}"
            raise catalogue.fault(where, step.since.isoformat(), expected)
        if instants and at <= instants[-1]:
            raise catalogue.fault(where, step.since.isoformat(), "a time after that of the step before")
        instants.append(at)
        values.append(None if step.value is None else decimal(step.value))
    return instants, values


def _instant(since: date, zone: ZoneInfo) -> int:
    if not isinstance(since, datetime):
        return due_instant(since, zone)
    instant = since.astimezone(UTC)
    return int(instant.replace(microsecond=0).timestamp()) * SECOND + instant.microsecond


def decimal(value: float) -> Fraction:
    """The number as it was written: 0.1 is a tenth, so that a product of factors is rounded once."""
    return Fraction(repr(value))
