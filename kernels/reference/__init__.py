"""The definition of every kernel: plain Python over fractions and integers.

Each function has the name and the arguments of its kernel, is written to be
read, and takes its time. Tests compare kernels with these: integers equal,
floats to 2 units in the last place. Nothing here loads numba, and nothing but
tests calls it. Kernels over hours, tests and calculated emissions have their
definitions in the module of the same name here.
"""

from kernels.reference.conflict import flag_conflicts
from kernels.reference.exact import exact_sum, exact_sums, muldiv_round, share, to_counts
from kernels.reference.filling import gap_steps, shape_gap
from kernels.reference.fold import fold_intervals
from kernels.reference.formulas import (
    actual_flow,
    at_reference_oxygen,
    dry_concentration,
    evaluate,
    evaluate_rows,
    excess_air,
    mass_concentration,
    mass_flow,
    mass_of_hours,
    mean_hourly_mass,
    mean_of_valid,
    part98_dry,
    part98_wet,
    stack_co2,
    standard_concentration,
    standard_dry_flow,
)
from kernels.reference.frontier import behind, frontiers
from kernels.reference.reach import anchors, seconds, turns_from, turns_until
from kernels.reference.register import classify_step
from kernels.reference.ring import kpi_slots, remember, window_sums
from kernels.reference.rules import step_rules
from kernels.reference.screen import screen
from kernels.reference.tail import behead, gather, insert, trim
from kernels.reference.union import evaluate_union
from kernels.reference.windows import block_sums, load_factor, power_factor, rate, ratio

__all__ = [
    "actual_flow",
    "anchors",
    "at_reference_oxygen",
    "behead",
    "behind",
    "block_sums",
    "classify_step",
    "dry_concentration",
    "evaluate",
    "evaluate_rows",
    "evaluate_union",
    "exact_sum",
    "exact_sums",
    "excess_air",
    "flag_conflicts",
    "fold_intervals",
    "frontiers",
    "gap_steps",
    "gather",
    "insert",
    "kpi_slots",
    "load_factor",
    "mass_concentration",
    "mass_flow",
    "mass_of_hours",
    "mean_hourly_mass",
    "mean_of_valid",
    "muldiv_round",
    "part98_dry",
    "part98_wet",
    "power_factor",
    "rate",
    "ratio",
    "remember",
    "screen",
    "seconds",
    "shape_gap",
    "share",
    "stack_co2",
    "standard_concentration",
    "standard_dry_flow",
    "step_rules",
    "to_counts",
    "trim",
    "turns_from",
    "turns_until",
    "window_sums",
]
