"""What ingest tells about itself, in Prometheus' terms.

One struct per process with an injected registry; children are made at zero when a
site starts, so a dashboard never shows "no data" for something that has not
happened yet.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ingest.mqtt.counters import Counters
from ingest.wire import RejectReason

COMMIT_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
BROKER_TOTALS = {
    "received": "Messages received, redelivered ones included",
    "bytes": "Bytes received",
    "redelivered": "Messages the broker sent once more",
    "oversized": "Messages cut because they were too large",
    "reconnects": "Connections to the broker after the first",
    "paused": "Times reading stopped because the backlog was full",
}


class IngestMetrics:
    """The metrics of an ingest process; every one is labelled by site."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register all of them."""
        by_site: list[Counter | Gauge | Histogram] = []

        def counter(name: str, text: str) -> Counter:
            made = Counter(f"stackwatt_{name}_total", text, ["site"], registry=registry)
            by_site.append(made)
            return made

        def gauge(name: str, text: str) -> Gauge:
            made = Gauge(f"stackwatt_{name}", text, ["site"], registry=registry)
            by_site.append(made)
            return made

        self.messages = counter("messages", "Messages handed out by sources")
        self.readings = counter("readings", "Readings stored")
        self.duplicates = counter("duplicates", "Readings dropped as equal")
        self.late = counter("late", "Readings that came after their interval should have closed")
        self.revised = counter("revised", "Intervals revised by late readings")
        self.unknown_keys = counter("unknown_keys", "Unknown JSON keys")
        self.at_most_once = counter("at_most_once", "Readings of QoS 0 messages, which no guarantee covers")
        self.retries = counter("commit_retries", "Transactions tried again")
        self.intervals = counter("intervals", "Intervals closed")
        self.tail = gauge("tail_readings", "Readings held for open intervals")
        self.watermark = gauge("watermark_seconds", "Watermark, Unix time")
        self.connected = gauge("broker_connected", "1 while the broker is connected")
        self.batch_no = gauge("batch_no", "Last committed batch")
        self.commit_seconds = Histogram(
            "stackwatt_commit_seconds",
            "Time until a batch is committed, other attempts and waiting included",
            ["site"],
            buckets=COMMIT_BUCKETS,
            registry=registry,
        )
        self.rejected = Counter(
            "stackwatt_rejected_total", "Readings or bodies refused", ["site", "reason"], registry=registry
        )
        self.stage_seconds = Counter(
            "stackwatt_stage_seconds_total", "Time spent by stage", ["site", "stage"], registry=registry
        )
        self.broker = BrokerCollector()
        registry.register(self.broker)
        self._by_site = (*by_site, self.commit_seconds)

    def start(self, site: str) -> None:
        """Make the children of a site at zero."""
        for metric in self._by_site:
            metric.labels(site)
        for stage in ("decode", "pipeline", "commit", "late"):
            self.stage_seconds.labels(site, stage)
        for reason in RejectReason:
            self.rejected.labels(site, str(reason))
        self.broker.watch(site, Counters())


class BrokerCollector(Collector):
    """What the subscribers have counted, read when asked: also while ingest waits for the database."""

    def __init__(self) -> None:
        self._counters: dict[str, Counters] = {}

    def watch(self, site: str, counters: Counters) -> None:
        """From now on these are the site's."""
        self._counters[site] = counters

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """The families, a child per site."""
        waiting = GaugeMetricFamily(
            "stackwatt_broker_waiting", "Messages received and not yet taken", labels=["site"]
        )
        for site, counters in self._counters.items():
            waiting.add_metric([site], counters.waiting)
        yield waiting
        for name, text in BROKER_TOTALS.items():
            family = CounterMetricFamily(f"stackwatt_broker_{name}", text, labels=["site"])
            for site, counters in self._counters.items():
                family.add_metric([site], getattr(counters, name))
            yield family
