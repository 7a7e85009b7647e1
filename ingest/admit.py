"""Deliveries to readings: decode, admit, and put refusals into words for the store."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ingest.mes.statements import Statement, read_statements
from ingest.metrics import IngestMetrics
from ingest.pipeline.admission import Admission, ClockSuspicion, EarlierLimits, leads
from ingest.pipeline.batch import IntArray, Readings
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.store.rejected import Refusal
from ingest.wire import Decoded, Rejection, RejectReason, WireDecoder


@dataclass(slots=True)
class Admitted:
    """What a batch of deliveries holds."""

    readings: Readings
    message: IntArray
    """Of each reading the index of its delivery."""
    refusals: list[Refusal]
    statements: list[tuple[Statement, int]] = field(default_factory=list)
    """What a MES told, and when that arrived, µs."""

    @staticmethod
    def nothing(*refusals: Refusal) -> "Admitted":
        """No readings, perhaps refusals."""
        return Admitted(Readings.empty(), np.zeros(0, np.int64), list(refusals))


class Gate:
    """Decodes and admits for one plan."""

    def __init__(self, plan: Plan, metrics: IngestMetrics) -> None:
        """Unknown keys and QoS 0 readings are counted in `metrics`."""
        self._site = plan.site
        self._decoder = WireDecoder(plan)
        self._admission = Admission(plan)
        self._suspicion = ClockSuspicion(plan.n_measured)
        self._metrics = metrics
        self._plan = plan
        self._mes = frozenset(plan.mes.topics)

    def hear(self, deliveries: Sequence[Delivery], monotonic_us: int) -> None:
        """Let deliveries say what time it is."""
        decoded = self._decoder.decode(deliveries)
        self._suspicion.hear(decoded.point, leads(decoded, deliveries), monotonic_us)

    def admit(self, deliveries: Sequence[Delivery], earlier: Sequence[EarlierLimits] = ()) -> Admitted:
        """Readings and refusals of deliveries, those of earlier versions' time judged by their limits."""
        return self._admitted(self._decoder.decode(deliveries), deliveries, earlier)

    def admit_unless_suspect(self, deliveries: Sequence[Delivery], monotonic_us: int) -> Admitted | None:
        """Readings and refusals of deliveries; None while they say that our own clock is behind."""
        if not deliveries:
            return Admitted.nothing()
        decoded = self._decoder.decode(deliveries)
        self._suspicion.hear(decoded.point, leads(decoded, deliveries), monotonic_us)
        if self._suspicion.suspect(monotonic_us):
            return None
        return self._admitted(decoded, deliveries)

    def _admitted(
        self, decoded: Decoded, deliveries: Sequence[Delivery], earlier: Sequence[EarlierLimits] = ()
    ) -> Admitted:
        found = self._admission.admit(decoded, deliveries, earlier)
        self._metrics.unknown_keys.labels(self._site).inc(decoded.unknown_keys)
        self._metrics.at_most_once.labels(self._site).inc(found.at_most_once)
        point = found.point.astype(np.int64)
        count = np.zeros(point.size, np.int64)
        readings = Readings(
            point,
            found.measured_at,
            found.received_at,
            found.value,
            count,
            found.quality,
            found.reasons,
            found.seq,
        )
        refusals = [_refusal(deliveries, rejection) for rejection in found.rejections]
        admitted = Admitted(readings, found.message.astype(np.int64), refusals)
        if self._mes:
            self._told(deliveries, admitted)
        return admitted

    def _told(self, deliveries: Sequence[Delivery], admitted: Admitted) -> None:
        """Put what a MES tells in some of the deliveries to what was admitted."""
        for delivery in deliveries:
            if delivery.topic not in self._mes:
                continue
            good, refused = read_statements(delivery.payload, self._plan, delivery.received_at)
            admitted.statements += [(one, delivery.received_at) for one in good]
            admitted.refusals += [
                Refusal(
                    delivery.topic,
                    delivery.payload,
                    one.element,
                    one.reason,
                    one.detail,
                    delivery.received_at,
                )
                for one in refused
            ]

    def unstorable(self, delivery: Delivery, detail: str) -> Refusal:
        """The refusal of a message that the database does not take."""
        reason = str(RejectReason.UNSTORABLE)
        return Refusal(delivery.topic, delivery.payload, None, reason, detail, delivery.received_at)


def _refusal(deliveries: Sequence[Delivery], rejection: Rejection) -> Refusal:
    delivery = deliveries[rejection.message]
    return Refusal(
        topic=delivery.topic,
        payload=delivery.payload,
        element=rejection.element,
        reason=str(rejection.reason),
        detail=rejection.detail,
        received_at=delivery.received_at,
        count=rejection.count,
    )
