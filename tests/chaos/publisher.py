"""The plant's side of the broker: messages at an even pace, QoS 1, each until it is acknowledged.

A thread of its own. While the broker is away messages queue up to a bound; after a
lost connection what was not acknowledged is sent again, perhaps twice, never not at
all. When each message was first acknowledged is kept: what the broker then loses is its loss.
"""

import threading
import time
from collections import deque
from typing import Any, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.chaos.traffic import Message, Traffic

MOST_OUTSTANDING = 2000
"""Messages without acknowledgement; fewer than there are packet ids."""
PAUSE_S = 0.005


class Publisher:
    """Publishes `traffic` at so many readings a second until `finish`."""

    def __init__(self, traffic: Traffic, host: str, port: int, readings_per_s: float) -> None:
        self._traffic = traffic
        self._pace = readings_per_s
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="plant", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.max_inflight_messages_set(200)
        self._client.on_publish = self._acknowledged
        self._client.connect(host, port)
        self._answers: deque[tuple[int, float]] = deque()
        self._waiting: dict[int, int] = {}
        self._thread = threading.Thread(target=self._run, name="publisher")
        self.readings = 0
        """Handed to the client so far, repeated ones included."""
        self.messages = 0
        self.acknowledged_at: dict[int, float] = {}
        """When the broker first acknowledged a message, by number (wall clock, s)."""

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._traffic.over = True
        self._thread.join(5)
        self._client.disconnect()
        self._client.loop_stop()

    def finish(self, patience_s: float) -> bool:
        """Have the stream end; whether all of it was acknowledged in time."""
        self._traffic.over = True
        self._thread.join(patience_s)
        deadline = time.monotonic() + patience_s
        while not self._thread.is_alive() and self._waiting and time.monotonic() < deadline:
            self._settle()
            time.sleep(PAUSE_S)
        return not self._thread.is_alive() and not self._waiting

    def _run(self) -> None:
        begun = time.monotonic()
        for message in self._traffic.messages():
            self._publish(message)
            while len(self._waiting) >= MOST_OUTSTANDING:
                time.sleep(PAUSE_S)
                self._settle()
            ahead_s = self.readings / self._pace - (time.monotonic() - begun)
            if ahead_s > 0 and not self._traffic.over:
                time.sleep(min(ahead_s, 1.0))
            elif ahead_s < -5:  # the broker was away: no race to make up for it
                begun -= ahead_s
            self._settle()

    def _publish(self, message: Message) -> None:
        info = self._client.publish(message.topic, message.payload, qos=1)
        self._waiting[info.mid] = message.number
        self.messages += 1
        self.readings += message.readings

    def _acknowledged(self, _client: Any, _data: Any, mid: int, _code: Any, _properties: Any) -> None:
        # In paho's thread and under its lock: only noted here, looked at in ours.
        self._answers.append((mid, time.time()))

    def _settle(self) -> None:
        while self._answers:
            mid, at = self._answers.popleft()
            number = self._waiting.pop(mid, None)
            if number is not None:
                self.acknowledged_at.setdefault(number, at)
