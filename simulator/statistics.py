"""What a run has published so far, as a file another process may read at any time."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from simulator.publisher import Publisher

Phase = Literal["backfill", "live", "done"]
"""History as fast as it is acknowledged; at the pace of a clock; nothing more to send."""


def statistics(
    site: str, points: Sequence[str], publisher: Publisher, phase: Phase, *, finished: bool
) -> str:
    """JSON: per point distinct readings published and acknowledged, and the span of their times in µs."""
    numbers = {}
    for point in points:
        first_at, last_at = publisher.spans.get(point, (0, 0))
        numbers[point] = {
            "published": publisher.published[point],
            "acknowledged": publisher.acknowledged[point],
            "first_at": first_at,
            "last_at": last_at,
        }
    body = {
        "site": site,
        "phase": phase,
        "finished": finished,
        "connected": publisher.connected,
        "connections": publisher.connections,
        "points": numbers,
    }
    return json.dumps(body)


def replace_file(path: Path, text: str) -> None:
    """Write so that a reader sees the old text or the new one."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
