"""What figures are made by: methods as data, and the combination of sums to figures.

A method is regime, edition, equation, inputs with unit and basis, and constants
with their source; the arithmetic is in `kernels`, found by the method's number.
"""
