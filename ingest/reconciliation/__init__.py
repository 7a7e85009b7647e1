"""The measured and the calculated account of one gas, held against each other.

`gas` knows what the composition of flue gas says of flow and fuel, `faults` which single
fault explains what does not agree, `divergence` whether the two accounts differ by more
than they may. Pure, NumPy alone: hour arrays in, verdicts out.
"""
