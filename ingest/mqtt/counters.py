"""What has come in over MQTT, as plain integers for the metrics endpoint to read.

Counted where it happens and never reset, so a scrape is a read. Knows nothing
of the metrics library.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Totals since the process started, and what waits now."""

    waiting: int = 0
    """Messages received and not yet handed out."""

    received: int = 0
    """Messages, redelivered ones included, control messages not."""
    bytes: int = 0
    """Bytes off the socket, packets of every kind (after TLS)."""
    qos0: int = 0
    """Messages of `received` that no acknowledgement covers: lost if we fall over."""
    redelivered: int = 0
    """Messages of `received` the broker marked as sent before."""
    oversized: int = 0
    """Messages of `received` whose payload was cut because it exceeded the limit."""
    ignored: int = 0
    """Messages that were acknowledged and not delivered: `$` topics and markers."""
    reconnects: int = 0
    """Connections made after the first."""
    paused: int = 0
    """Times reading stopped because the backlog was full."""
