"""How sure a figure is: from a plan and its interval rows to u, and to which source it is due.

`slopes` knows how a computed point moves with its inputs, `contributions` spreads the
errors of instruments and factors over intervals, `figure` joins them to a figure's
uncertainty. Pure: rows in, numbers out. Importing it loads no numba.
"""
