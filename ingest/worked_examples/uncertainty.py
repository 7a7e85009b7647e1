"""Worked examples of uncertainty and reconciliation, by the functions that the product uses."""

import math
from typing import Any

import numpy as np

from ingest.methods.tiers import MRR_TIERS
from ingest.reconciliation.gas import Stack, residuals
from ingest.uncertainty import propagation as unc
from ingest.worked_examples.operation import Input, Inputs, Operation, number, numbers, positive

PERCENT = 100.0


def _product(x: Inputs) -> dict[str, Any]:
    """Relative uncertainties of a product's factors; `k` where they are standard ones and U is wanted."""
    factors = [unc.stream(1.0, keys=[i], s=[1.0]) for i in range(len(x["relative_pct"]))]
    found = unc.product(factors, [1.0] * len(factors))
    relative = math.sqrt(unc.variance(0.0, found.s, np.array(x["relative_pct"], np.float64)))
    expanded = x["k"] * relative
    tier = MRR_TIERS["measured"].of(expanded / PERCENT)
    return {"relative_pct": relative, "expanded_pct": expanded, "mrr_tier": tier}


def _root_sum_square(x: Inputs) -> dict[str, Any]:
    u = np.array(x["u"], np.float64)
    return {"u": math.sqrt(unc.variance(0.0, np.ones(u.size), u))}


def _ar1_mean_factor(x: Inputs) -> dict[str, Any]:
    return {"factor": unc.ar1_mean_factor(x["n"], x["rho"])}


def _shared_ratio(x: Inputs) -> dict[str, Any]:
    """A sum by an amount that some of its parts are made with; `shared` marks them.

    `naive_u` is what comes out if numerator (of `numerator_u`) and denominator are taken as independent.
    """
    parts = [
        unc.stream(value, keys=[0, 1 + i] if shared else [1 + i], s=[value, value] if shared else [value])
        for i, (value, shared) in enumerate(zip(x["numerator"], x["shared"], strict=True))
    ]
    above = unc.weighted_sum(parts, [1.0] * len(parts))
    below = x["denominator"]
    found = unc.ratio(above, unc.stream(below, keys=[0], s=[below]))
    u = np.array([x["shared_pct"], *x["own_pct"]]) / PERCENT
    apart = unc.ratio(unc.stream(above.value, x["numerator_u"] ** 2), unc.stream(below, keys=[0], s=[below]))
    return {
        "value": found.value,
        "u": math.sqrt(unc.variance(found.v, found.s, u[found.keys])),
        "naive_u": math.sqrt(unc.variance(apart.v, apart.s, u[:1])),
    }


def _residuals(x: Inputs) -> dict[str, Any]:
    stack = Stack(*(x[name] for name in (*_DRY, "flow", "fuel", "process")))
    found = residuals(stack, x["co2_per_o2_used"], x["fuel_baseline"])
    return {"residual_pct": (PERCENT * found).tolist()}


_DRY = ("co2_fraction_dry", "o2_fraction_dry")
_PART = "of the numerator"

OPERATIONS = (
    Operation("uncertainty.product", (numbers("relative_pct", "%", low=0.0), positive("k", default=1.0)),
              {"relative_pct": "%", "expanded_pct": "%", "mrr_tier": "1"}, _product),
    Operation("uncertainty.root_sum_square", (numbers("u"),), {"u": "1"}, _root_sum_square),
    Operation("uncertainty.ar1_mean_factor",
              (Input("n", "whole", low=1, high=100_000), number("rho", low=0.0, below=1.0)), {"factor": "1"},
              _ar1_mean_factor),
    Operation("uncertainty.shared_ratio",
              (numbers("numerator", _PART), numbers("shared", low=0.0, high=1.0, like="numerator"),
               numbers("own_pct", "%", low=0.0, like="numerator"), number("shared_pct", "%", low=0.0),
               number("numerator_u", _PART, low=0.0), positive("denominator")),
              {"value": "1", "u": "1", "naive_u": "1"}, _shared_ratio),
    Operation("reconcile.residuals",
              (*(Input(name, "number", above=0.0, below=1.0) for name in _DRY), positive("flow"), positive("fuel"),
               number("process", low=0.0), positive("co2_per_o2_used"), positive("fuel_baseline")),
              {"residual_pct": "%"}, _residuals),
)  # fmt: skip
