"""What the residuals of a gas analysis are called: where nothing could be judged, nothing is said to be seen."""

import re
from dataclasses import replace

import numpy as np
import pytest

from ingest.model import HOUR
from ingest.reconciliation.accounts import accounts
from service.composition import CompositionDocument, composition
from tests.ingest.uncertainty.cement import START, plan_of, rows_of
from tests.service.test_reconciliations import PLANT, REST

HOURS = 24
MASS_KG = {"fuel": 60_110.0, "process": 100_000.0, "meal": 1_136.0, "stack": 161_246.0, "default": 111_458.0}


def told(text: str, covered_h: float = 1.0) -> CompositionDocument:
    """Of a day at rest, of which the product is known for a part of each hour; the masses are of whole hours."""
    plan = plan_of(text)
    (asked,) = plan.reconciliations
    hours = {f"line/{name}": np.full(HOURS, mass) for name, mass in MASS_KG.items()}
    found = accounts(asked, hours, START, HOURS)
    rows = rows_of(plan, HOURS)
    rows["line/o2"] = replace(rows["line/co2"], mean=np.full(HOURS, REST["o2"]))
    clinker = rows["line/clinker"]
    rows["line/clinker"] = replace(
        clinker, amount=covered_h * clinker.amount, hours=covered_h * clinker.hours
    )
    made = composition(plan, asked, found, found.valid, rows, (START, START + HOURS * HOUR))
    assert made is not None
    return made


def test_residuals_within_their_uncertainties_do_not_stand_out() -> None:
    found = told(PLANT)
    assert (found.verdict, found.reason) == ("nothing stands out", None)
    assert all(one.score is not None for one in found.residuals)


def test_the_product_of_hours_partly_covered_is_at_its_rate_as_the_fuel_is() -> None:
    whole, part = (next(one.percent for one in told(PLANT, covered_h).residuals if one.name == "fuel")
                   for covered_h in (1.0, 0.8))  # fmt: skip
    assert whole is not None
    assert abs(whole) < 5
    assert part == pytest.approx(whole, rel=1e-9)


def test_residuals_without_a_score_are_not_judged() -> None:
    """Everything is said to be exact: a residual cannot be held against an uncertainty of 0."""
    exact = re.sub(r"uncertainty: \{[^}]*\}", "uncertainty_class: exact", PLANT)
    exact = re.sub(r"uncertainty_class: [a-z0-9-]+", "uncertainty_class: exact", exact)
    exact = exact.replace("area: duct-area", "area: exact")
    exact = exact.replace(", product: clinker, fuel_kg_per_product: 293.98, baseline_percent: 1.5", "")
    found = told(exact)
    assert [one.score for one in found.residuals] == [None] * 4
    assert (found.verdict, found.likely) == ("not judged", [])
    assert found.reason == "no residual is known together with its uncertainty"
