"""What is stored beside what comes out: which rows are missing, too many or different, and in which columns.

Values are compared as the store does when it decides on a revision: to the last bit,
but for the sign of zero, and none equals none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.pipeline.batch import IntArray, Rows


@dataclass(frozen=True, slots=True)
class Compared:
    """Where two sets of rows differ, as indices into them."""

    missing: IntArray
    """Of what comes out, what is not stored."""
    extra: IntArray
    """Of what is stored, what does not come out."""
    made: IntArray
    """Of what comes out, what is stored with other values …"""
    kept: IntArray
    """… and the stored row of each."""
    columns: npt.NDArray[np.bool_]
    """bool[n, columns]: in which columns each of these pairs differs."""

    @property
    def equal(self) -> bool:
        """Whether there is no difference at all."""
        return not (self.missing.size or self.extra.size or self.made.size)


def compare(
    made: Rows, kept: Rows, made_key: IntArray, kept_key: IntArray, columns: Sequence[str]
) -> Compared:
    """Compare rows that come out with stored ones.

    Args:
        made: what comes out; `columns` among its fields.
        kept: what is stored, alike.
        made_key: of each of `made` the number by which rows belong together; unique.
        kept_key: alike.
        columns: the fields to compare.
    """
    _, mine, theirs = np.intersect1d(made_key, kept_key, assume_unique=True, return_indices=True)
    differs = np.zeros((mine.size, len(columns)), np.bool_)
    for place, name in enumerate(columns):
        one, other = made[name][mine], kept[name][theirs]
        differs[:, place] = (one != other) & ~((one != one) & (other != other))  # noqa: PLR0124  NaN is none
    chosen = differs.any(axis=1)
    return Compared(
        missing=np.setdiff1d(np.arange(made.size), mine),
        extra=np.setdiff1d(np.arange(kept.size), theirs),
        made=mine[chosen],
        kept=theirs[chosen],
        columns=differs[chosen],
    )
