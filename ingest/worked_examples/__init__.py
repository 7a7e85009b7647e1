"""Operations of published worked examples, each by the function that the product uses.

A module for each subject has its OPERATIONS; another subject is another module and its
name in SUBJECTS. Names of operations, inputs and outputs are those of the examples'
files; constants are the regime's, from its method. See `ingest.conformance`.
"""

from collections.abc import Mapping

from ingest.worked_examples import calculated, eu, hj, part75, stream, uncertainty
from ingest.worked_examples.operation import Input, Inputs, Operation

__all__ = ["OPERATIONS", "SUBJECTS", "Input", "Inputs", "Operation"]

SUBJECTS = (part75, hj, eu, calculated, stream, uncertainty)
"""Modules with OPERATIONS; a name may be there once only (a test says so)."""

OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation for subject in SUBJECTS for operation in subject.OPERATIONS
}
"""Name → operation."""
