"""Connections that say nothing: a client gets so long for the head of a request, then it is cut off.

uvicorn waits without end for the first bytes, and for the rest of a head that was begun;
a few thousand such clients would hold every descriptor. Bodies have a bound of their own
(`service.bodies`), idle connections uvicorn's.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0
"""How long the head of a request may take, from the connection or from its first byte."""


class Impatient(H11Protocol):
    """uvicorn's protocol with a bound on waiting for a head."""

    _cut: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take data; wait on while it ends in the middle of a head."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0]):
            self._wait()
        else:
            self._heard()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._heard()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._cut is None:
            self._cut = self.loop.call_later(HEAD_S, self.transport.close)

    def _heard(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None
