"""The plant file and what it compiles to.

`load_plant` → `PlantFile` → `compile_plan` → `Plan`. A plan version is stored as
the canonical body of its file and compiled again when read back, so running code
only ever sees plans.
"""
