"""Tiers of the monitoring regulation."""

import pytest

from ingest.methods.tiers import MRR_TIERS


@pytest.mark.parametrize(
    ("kind", "expanded", "tier"),
    [
        ("measured", 0.0605, 2),
        ("measured", 0.0376, 3),
        ("measured", 0.1, 1),
        ("activity", 0.0376, 2),
        ("activity", 0.015, 4),
        ("activity", 0.08, 0),
    ],
)
def test_the_highest_tier_whose_limit_is_kept(kind: str, expanded: float, tier: int) -> None:
    assert MRR_TIERS[kind].of(expanded) == tier
