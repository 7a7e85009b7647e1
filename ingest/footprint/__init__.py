"""What a product carries through a chain of stages: quarry, clinker, cement, concrete.

`chain` is who makes what from what, `stock` a mean that moves with what is made and drawn, `balance` walks
the steps and closes. Pure: integers in, integers out; no I/O, no clock, no numba.
"""
