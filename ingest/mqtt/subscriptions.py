"""Which filters a session holds, and which it should.

Every SUBSCRIBE makes the broker send retained messages again, so it is sent only
for what the session does not hold: everything when CONNACK said there was no
session, what is new when the wanted filters changed, else nothing. MQTT has no
question for what a session holds; the answer is remembered here, and across
runs by whoever is told through `on_held`. A broker that dies may come back with a session as it
last saved it: a filter added to one is asked for again on a reconnect for as long as
it may not have been saved. Across runs of ours that is not remembered.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Protocol

log = logging.getLogger(__name__)

FILTERS_PER_SUBSCRIBE = 100
DOUBT_S = 3600.0
"""Brokers save sessions within this; by default Mosquitto does every 1800 s."""
_FAILURE = 0x80


class SubscribingClient(Protocol):
    """The part of aiomqtt's client that is needed here."""

    def subscribe(self, topic: Any, /, *, timeout: float | None = None) -> Awaitable[Sequence[Any]]:
        """Ask for (filter, QoS) pairs; one code each, `0x80` and above refuse."""

    def unsubscribe(self, topic: list[str], /, *, timeout: float | None = None) -> Awaitable[None]:
        """Ask no longer."""


class Subscriptions:
    """The filters of one session, at QoS 1 (a broker sends no QoS 2 then)."""

    def __init__(
        self,
        always: str,
        held: Collection[str],
        on_held: Callable[[tuple[str, ...]], None] | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changed = asyncio.Event()
        """Set while `want` has asked for what no `agree` has seen to yet."""
        self.refused: tuple[str, ...] = ()
        """Filters the broker did not grant."""
        self._always = always
        self._wanted: tuple[str, ...] = (always,)
        self._held = set(held)
        self._on_held = on_held
        self._monotonic = monotonic
        self._added: dict[str, float] = {}
        """What was added to a session that held others, and when, s."""

    def want(self, filters: Sequence[str]) -> None:
        """Exactly these, and the one that is always wanted."""
        self._wanted = (*dict.fromkeys(filters), self._always)
        self.changed.set()

    def forget(self) -> None:
        """The session holds nothing, or what it holds is in doubt."""
        self._held.clear()

    def doubt(self) -> None:
        """The session was taken up again: it may be older than what was added to it of late."""
        since = self._monotonic() - DOUBT_S
        self._added = {name: at for name, at in self._added.items() if at > since}
        self._held.difference_update(self._added)

    async def agree(self, client: SubscribingClient) -> None:
        """Have the session hold what is wanted and nothing else.

        No wait has a limit: the answer queues behind the broker's backlog. The
        end of the connection is expected to cancel this.
        """
        self.changed.clear()
        wanted = self._wanted
        missing = [name for name in wanted if name not in self._held]
        surplus = sorted(self._held.difference(wanted))
        if surplus:
            await client.unsubscribe(surplus, timeout=math.inf)
            self._held.difference_update(surplus)
        refused: list[str] = []
        is_change = bool(self._held)
        for start in range(0, len(missing), FILTERS_PER_SUBSCRIBE):
            part = missing[start : start + FILTERS_PER_SUBSCRIBE]
            codes = await client.subscribe([(name, 1) for name in part], timeout=math.inf)
            granted = [getattr(code, "value", code) < _FAILURE for code in codes]
            self._held.update(name for name, yes in zip(part, granted, strict=True) if yes)
            if is_change:
                self._added |= dict.fromkeys(part, self._monotonic())
            refused += [name for name, yes in zip(part, granted, strict=True) if not yes]
        if refused and tuple(refused) != self.refused:
            log.warning("the broker refuses the subscription to %s", ", ".join(refused))
        self.refused = tuple(refused)
        if (surplus or len(missing) > len(refused)) and self._on_held is not None:
            self._on_held(tuple(sorted(self._held)))
