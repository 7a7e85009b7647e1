"""Plants whose truth is known, speaking the wire contract.

A simulated plant is a pure function of its seed and of time: two runs, or one
run interrupted, publish the same numbers for the same instants. The package
never touches the database and never imports a kernel: what it says about its
own sums is computed with integers and fractions.
"""
