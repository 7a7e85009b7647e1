"""Targets: wire messages in every form, inbox envelopes, and the MQTT byte stream under them."""

import base64
import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ingest.model import DECLARED_SEQ, MINUTE, NO_SEQ, Quality
from ingest.mqtt.counters import Counters
from ingest.mqtt.framing import LONGEST_NAME_PART, LONGEST_OTHER, MalformedPacketError, PacketScanner
from ingest.pipeline.admission import YEAR_2000, Admission
from ingest.plant.compile import compile_plan
from ingest.plant.parse import parse_plant
from ingest.source import Delivery
from ingest.store.inbox import opened
from ingest.wire import NO_TIME, WireDecoder
from tests.fuzz.fuzzing import is_sentence, refused
from tests.fuzz.mutation import changed, mutated
from tests.ingest.mqtt.packets import packet, publish

PLANT = """
site: works
name: Works
time_zone: Europe/Berlin
units:
  - {id: line1, name: Line 1, kind: line, units: [{id: press, name: Press}]}
points:
  - {id: line1/power, kind: gauge, unit: kW, period: 1s, max_gap: 60s, limits: [-100, 5000], topics: [meters/7/power]}
  - {id: line1/energy, kind: counter, unit: kWh, period: 1s, max_gap: 60s, resolution: 0.001, modulus: 1e9}
  - {id: line1/press/state, kind: state, states: {stopped: 0, running: 1, fault: 7}, period: 1s, max_gap: 60s}
  - {id: line1/press/temperature, kind: sample, unit: °C, period: 1s, max_gap: 60s, until: "2026-12-31T00:00:00Z"}
  - {id: line1/press/pressure, kind: sample, unit: bar(g), period: 1s, max_gap: 60s}
  - {id: meter, kind: delta, unit: kWh, period: 15min, stamp: end}
  - {id: line1/twice, kind: gauge, unit: kW, computed: {method: linear, inputs: {power: line1/power}, constants: {power: 2}}}
"""
RECEIVED_AT = 1_795_161_700_000_000
SAMPLES = json.loads(
    (Path(__file__).parents[1] / "ingest/wire/messages.good.json").read_text(encoding="utf-8")
)
PAYLOADS = [one["raw"].encode() if "raw" in one else json.dumps(one["payload"]).encode() for one in SAMPLES]
TOPICS = sorted(
    {one["topic"] for one in SAMPLES} | {"plant/works", "plant/works/meter", "$SYS/x", "", "elsewhere"}
)
WORDS = [
    "ts", "value", "values", "points", "unit", "quality", "reason", "seq", "power", "energy", "line1/power", "line1/energy",
    "meter", "press/state", "line1/twice", [1.0, 2.0], [[1.0], [2.0]], ["good", "bad"], ["stuck", None],
    [1_795_161_600_000, 1_795_161_660_000], ["2026-11-20T08:00:00Z"] * 30, [None] * 30, list(range(200)),
]  # fmt: skip


class Wire:
    """Messages to readings, between two neighbours that must not notice."""

    name = "wire"

    def __init__(self) -> None:
        self._plan = compile_plan(parse_plant(PLANT, "works.yaml"))
        self._decoder = WireDecoder(self._plan)
        self._admission = Admission(self._plan)
        self._neighbour = Delivery(
            "plant/works/line1/energy", b'{"ts": 1795161600000, "value": 5}', RECEIVED_AT
        )

    def make(self, draw: random.Random) -> bytes:
        """Topic, line feed, payload."""
        number = draw.randrange(len(SAMPLES))
        topic = SAMPLES[number]["topic"] if draw.random() < 0.7 else draw.choice(TOPICS)
        payload = PAYLOADS[number]
        if "payload" in SAMPLES[number] and draw.random() < 0.6:
            body = changed(SAMPLES[number]["payload"], draw, WORDS)
            payload = json.dumps(body, ensure_ascii=draw.random() < 0.7).encode("utf-8", "surrogatepass")
        if draw.random() < 0.5:
            payload = mutated(payload, draw, PAYLOADS)
        if draw.random() < 0.05:
            topic = mutated(topic.encode(), draw).decode("utf-8", "replace").replace("\n", "")
        return topic.encode() + b"\n" + payload

    def run(self, data: bytes) -> bool:
        """Whether any reading came out of it."""
        topic, _, payload = data.partition(b"\n")
        return self.take(topic.decode(), payload)

    def take(self, topic: str, payload: bytes) -> bool:
        """Whether a message holds readings; see `run`."""
        deliveries = [self._neighbour, Delivery(topic, payload, RECEIVED_AT), self._neighbour]
        decoded = self._decoder.decode(deliveries)
        assert (decoded.message == 0).sum() == (decoded.message == 2).sum() == 1, "a neighbour is gone"
        assert (np.diff(decoded.message) >= 0).all()
        found = self._admission.admit(decoded, deliveries)
        params, point = self._plan.params, found.point
        assert ((point >= 0) & (point < self._plan.n_measured)).all()
        usable = found.quality < Quality.BAD
        value = found.value[usable]
        assert np.isfinite(value).all(), "a usable reading is no number"
        assert not np.isinf(found.value).any()
        assert (value >= params["low"][point[usable]]).all()
        assert (value <= params["high"][point[usable]]).all()
        assert ((found.measured_at >= YEAR_2000) & (found.measured_at <= RECEIVED_AT + 5 * MINUTE)).all()
        assert NO_TIME not in found.measured_at
        assert np.isin(found.quality, [int(one) for one in Quality]).all()
        assert ((found.seq == NO_SEQ) | ((found.seq >= 0) & (found.seq < DECLARED_SEQ))).all()
        counted = usable & np.isin(params["kind"][point], (0, 1))
        assert (np.abs(found.value[counted] / params["resolution"][point[counted]]) <= 2.0**62).all()
        for item in found.rejections:
            assert item.message == 1, "a neighbour is refused"
            assert item.count > 0
            assert is_sentence(item.detail), item.detail
        return bool((found.message == 1).any())


class Envelopes:
    """Bodies of inbox rows to messages, and on to readings."""

    name = "envelope"

    def __init__(self) -> None:
        self._wire = Wire()

    def make(self, draw: random.Random) -> bytes:
        """A body; the column is text, so it is UTF-8 without NUL."""
        payload = draw.choice(PAYLOADS)
        topic = draw.choice(TOPICS)
        if draw.random() < 0.3:
            body: Any = {"topic": topic, "base64": base64.b64encode(payload).decode()}
            text = json.dumps(changed(body, draw, ["payload", "base64", "topic"])).encode()
        else:
            inner = mutated(payload, draw, PAYLOADS) if draw.random() < 0.4 else payload
            text = b'{"topic":' + json.dumps(topic).encode() + b',"payload":' + inner + b"}"
        if draw.random() < 0.4:
            text = mutated(text, draw, PAYLOADS)
        return text.decode("utf-8", "replace").replace("\0", "").encode()

    def run(self, data: bytes) -> bool:
        """Whether any reading came out of it."""
        envelope = opened(7, data.decode())
        envelope.topic.encode()
        assert "\0" not in envelope.topic, "no database holds such a topic"
        return self._wire.take(envelope.topic, envelope.content)


class Framing:
    """Bytes of a connection to deliveries, however they are cut."""

    name = "framing"
    LIMIT = 2000

    def make(self, draw: random.Random) -> bytes:
        """A few packets, then spoilt."""
        stream = b""
        for _ in range(draw.randrange(1, 8)):
            if draw.random() < 0.2:
                stream += packet(
                    draw.choice((0x20, 0x40, 0x90, 0xD0, 0x62)), draw.randbytes(draw.choice((0, 2, 3, 200)))
                )
                continue
            payload = draw.choice(PAYLOADS) * draw.choice((1, 1, 1, 30))
            stream += publish(
                draw.choice(TOPICS[1:]),
                payload,
                draw.randrange(1, 65_536),
                qos=draw.randrange(3),
                dup=draw.random() < 0.2,
            )
        return mutated(stream, draw) if draw.random() < 0.9 else stream

    def run(self, data: bytes) -> bool:
        """Whether all of it is MQTT."""
        draw = random.Random(len(data))
        cuts = sorted(draw.randrange(len(data) + 1) for _ in range(draw.randrange(6)))
        whole = self._scanned([data])
        pieces = self._scanned([data[a:b] for a, b in pairwise([0, *cuts, len(data)])])
        assert whole == pieces, "where the stream is cut makes a difference"
        return whole[1]

    def _scanned(self, pieces: list[bytes]) -> tuple[list[Any], bool]:
        """What came, and whether the stream was sound to its end."""
        scanner = PacketScanner(lambda topic: topic.startswith("$"), self.LIMIT, Counters())
        scanner.restart(1)
        found: list[Any] = []
        try:
            for piece in pieces:
                received = scanner.feed(piece, 7)
                for one in (*received.deliveries, *(apart for _, apart in received.apart)):
                    one.topic.encode()
                    assert len(one.payload) <= self.LIMIT + 1
                    assert one.qos in (0, 1, 2)
                found += received.deliveries
                assert len(scanner._held) <= max(LONGEST_OTHER + 5, LONGEST_NAME_PART + self.LIMIT + 6)
        except MalformedPacketError as error:
            # What came in the same piece before the fault is lost with it: the broker sends it again.
            return [], refused(error)
        return found, True
