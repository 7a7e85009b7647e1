"""What is told of deliveries to Prometheus: counted in the database, so it is the same whoever sends.

The service tells it for all notifiers: they have no port, may be several, and may be on other
machines. Without a single one the backlog grows and `stackwatt_webhook_notifiers` is 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ingest.model import SECOND
from service.store import Connection, row, rows
from service.webhooks.claiming import NOTIFIER_LOCK


@dataclass(frozen=True, slots=True)
class EndpointCounts:
    """Of one webhook."""

    site: str
    id: str
    delivered: int
    failed: int
    dead: int
    waiting: int
    oldest_age_s: float
    """Of the oldest that waits; 0: none does."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of all webhooks at one moment."""

    endpoints: Sequence[EndpointCounts]
    events: int
    """For which no delivery has been made yet."""
    notifiers: int


async def read(connection: Connection, now: int) -> Counts:
    """What the database says; `now` is µs of UTC."""
    found = await rows(
        connection,
        """
        SELECT s.id, w.id, w.delivered, w.failed, w.dead, waiting.count, waiting.since
          FROM webhook w JOIN site s USING (site_no)
         CROSS JOIN LATERAL (
               SELECT count(*), min(made_at) AS since FROM delivery d
                WHERE d.webhook_no = w.webhook_no AND d.state = 'waiting') waiting
         ORDER BY s.id, w.id
        """,
    )
    others = await row(
        connection,
        """
        SELECT (SELECT count(*) FROM event_waiting),
               (SELECT count(DISTINCT objid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = %s
                   AND d.datname = current_database())
        """,
        [NOTIFIER_LOCK],
    )
    assert others is not None
    endpoints = [
        EndpointCounts(
            site,
            name,
            delivered,
            failed,
            dead,
            waiting,
            0.0 if since is None else max(0, now - since) / SECOND,
        )
        for site, name, delivered, failed, dead, waiting, since in found
    ]
    return Counts(endpoints, others[0], others[1])


class DeliveryCollector(Collector):
    """Tells the counts last read."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.counts: Counts | None = None
        """None: they are not known now, so nothing is told."""
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The families, by site and webhook."""
        if self.counts is None:
            return
        labels = ["site", "webhook"]
        attempts = CounterMetricFamily(
            "stackwatt_webhook_attempts",
            "Attempts to deliver an event, by outcome",
            labels=[*labels, "outcome"],
        )
        dead = CounterMetricFamily("stackwatt_webhook_dead", "Deliveries given up", labels=labels)
        backlog = GaugeMetricFamily("stackwatt_webhook_backlog", "Deliveries that wait", labels=labels)
        age = GaugeMetricFamily(
            "stackwatt_webhook_oldest_age_seconds",
            "Age of the oldest delivery that waits; 0: none",
            labels=labels,
        )
        for one in self.counts.endpoints:
            attempts.add_metric([one.site, one.id, "delivered"], one.delivered)
            attempts.add_metric([one.site, one.id, "failed"], one.failed)
            dead.add_metric([one.site, one.id], one.dead)
            backlog.add_metric([one.site, one.id], one.waiting)
            age.add_metric([one.site, one.id], one.oldest_age_s)
        yield from (attempts, dead, backlog, age)
        yield GaugeMetricFamily(
            "stackwatt_webhook_events_waiting", "Events no delivery is made of yet", value=self.counts.events
        )
        yield GaugeMetricFamily(
            "stackwatt_webhook_notifiers", "Notifiers at work on this database", value=self.counts.notifiers
        )
