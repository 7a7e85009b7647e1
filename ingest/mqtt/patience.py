"""How long to wait before trying again.

Exponential with jitter: after a power cut every client of a broker comes back,
and they should not come at once.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Pauses of a subscriber, in seconds."""

    first_s: float = 0.25
    """Before the second attempt to connect; doubled for each one after."""
    longest_s: float = 30.0
    steady_s: float = 5.0
    """A connection that stood so long did not fail: after it the pauses begin anew."""
    marker_s: float = 30.0
    """With no message for this long and the marker not back, subscribe again."""

    def before(self, attempt: int, jitter: float) -> float:
        """Seconds to wait after failed attempt 0, 1, 2 …; `jitter` in [0, 1) takes up to half away."""
        return min(self.longest_s, self.first_s * 2.0 ** min(attempt, 30)) * (1 - jitter / 2)


async def at_most(seconds: float, awaitable: Awaitable[object]) -> None:
    """Wait for it, but not longer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await awaitable
