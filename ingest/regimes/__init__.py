"""Rules of the regimes applied to hours and tests: data of `ingest.methods`, arithmetic of `kernels`.

Importing a module here loads numba. Nothing here reads rows or knows a clock.
"""
