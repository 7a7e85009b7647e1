"""Contributions of several sums as those of their sum: what they share becomes one column."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ingest.uncertainty.contributions import Contribution


def merged(found: Sequence[Contribution]) -> list[Contribution]:
    """One contribution per source of error, calibration and kind; columns of one instant add."""
    gathered: dict[tuple[str, int, bool], list[Contribution]] = {}
    for one in found:
        gathered.setdefault((one.name, one.epoch, one.is_random), []).append(one)
    return [_joined(parts) if len(parts) > 1 else parts[0] for parts in gathered.values()]


def _joined(parts: Sequence[Contribution]) -> Contribution:
    start_at, place = np.unique(np.concatenate([part.start_at for part in parts]), return_inverse=True)
    a, b = (
        np.bincount(place, np.concatenate([getattr(part, side) for part in parts]), start_at.size).astype(
            np.float64
        )
        for side in ("a", "b")
    )
    return replace(parts[0], start_at=start_at, a=a, b=b)
