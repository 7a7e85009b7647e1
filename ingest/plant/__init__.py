"""The plant file and what it compiles to.

`load_plant` → `PlantFile` → `compile_plan` → `Plan`. A plan version is stored as
the canonical body of its file and compiled again when read back, so running code
only ever sees plans. Nothing in this package imports numba.
"""

from ingest.plant.body import canonical, plan_from_body
from ingest.plant.compile import compile_plan
from ingest.plant.file import PlantFile
from ingest.plant.parse import load_plant, parse_plant
from ingest.plant.plan import Plan, PlanComputed, PlanKpi, PlanPoint, PlanSource, PlanUnit

__all__ = [
    "Plan",
    "PlanComputed",
    "PlanKpi",
    "PlanPoint",
    "PlanSource",
    "PlanUnit",
    "PlantFile",
    "canonical",
    "compile_plan",
    "load_plant",
    "parse_plant",
    "plan_from_body",
]
