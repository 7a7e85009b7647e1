"""What ingest tells about itself, in Prometheus' terms.

One struct per process with an injected registry; children are made at zero when a
site starts, so a dashboard never shows "no data" for something that has not
happened yet.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

COMMIT_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class IngestMetrics:
    """The metrics of an ingest process; every one is labelled by site."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register all of them."""
        site = ["site"]
        self.messages = Counter(
            "stackwatt_messages_total", "Messages handed out by sources", site, registry=registry
        )
        self.readings = Counter("stackwatt_readings_total", "Readings stored", site, registry=registry)
        self.duplicates = Counter(
            "stackwatt_duplicates_total", "Readings dropped as equal", site, registry=registry
        )
        self.late = Counter("stackwatt_late_total", "Readings booked late", site, registry=registry)
        self.revised = Counter(
            "stackwatt_revised_total", "Intervals revised by late readings", site, registry=registry
        )
        self.rejected = Counter(
            "stackwatt_rejected_total", "Readings or bodies refused", ["site", "reason"], registry=registry
        )
        self.unknown_keys = Counter(
            "stackwatt_unknown_keys_total", "Unknown JSON keys", site, registry=registry
        )
        self.at_most_once = Counter(
            "stackwatt_at_most_once_total", "Readings of QoS 0 messages, which no guarantee covers", site,
            registry=registry,
        )  # fmt: skip
        self.retries = Counter(
            "stackwatt_commit_retries_total", "Transactions tried again", site, registry=registry
        )
        self.intervals = Counter("stackwatt_intervals_total", "Intervals closed", site, registry=registry)
        self.commit_seconds = Histogram(
            "stackwatt_commit_seconds",
            "Time of a transaction",
            site,
            buckets=COMMIT_BUCKETS,
            registry=registry,
        )
        self.stage_seconds = Counter(
            "stackwatt_stage_seconds_total", "Time spent by stage", ["site", "stage"], registry=registry
        )
        self.tail = Gauge(
            "stackwatt_tail_readings", "Readings held for open intervals", site, registry=registry
        )
        self.watermark = Gauge("stackwatt_watermark_seconds", "Watermark, Unix time", site, registry=registry)
        self.connected = Gauge(
            "stackwatt_broker_connected", "1 while the broker is connected", site, registry=registry
        )
        self.batch_no = Gauge("stackwatt_batch_no", "Last committed batch", site, registry=registry)

        self._by_site: tuple[Counter | Gauge | Histogram, ...] = (
            self.messages,
            self.readings,
            self.duplicates,
            self.late,
            self.revised,
            self.unknown_keys,
            self.at_most_once,
            self.retries,
            self.intervals,
            self.commit_seconds,
            self.tail,
            self.watermark,
            self.connected,
            self.batch_no,
        )

    def start(self, site: str) -> None:
        """Make the children of a site at zero."""
        for metric in self._by_site:
            metric.labels(site)
        for stage in ("decode", "pipeline", "commit", "late"):
            self.stage_seconds.labels(site, stage)
