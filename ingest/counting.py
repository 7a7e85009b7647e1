"""What a site's transactions count in its metrics, once they are committed."""

from collections.abc import Sequence

from ingest.metrics import IngestMetrics
from ingest.model import NEVER, Reason
from ingest.pipeline.batch import Batch
from ingest.status import SiteStatus
from ingest.store.rejected import Refusal
from ingest.store.revised import Revised


class Counting:
    """The metrics and the status of one site."""

    def __init__(self, metrics: IngestMetrics, site: str, status: SiteStatus) -> None:
        self._metrics = metrics
        self._site = site
        self._status = status

    def revised(self, revised: Revised, given: int, batch_no: int) -> None:
        """Late readings, of which so many were given."""
        metrics, site = self._metrics, self._site
        metrics.readings.labels(site).inc(revised.stored)
        metrics.late.labels(site).inc(revised.late)
        metrics.duplicates.labels(site).inc(given - revised.stored)
        metrics.revised.labels(site).inc(revised.changed)
        metrics.batch_no.labels(site).set(batch_no)

    def batch(self, batch: Batch, refusals: Sequence[Refusal], batch_no: int, held: int) -> None:
        """A batch, with so many readings held in the tail after it."""
        metrics, site = self._metrics, self._site
        metrics.readings.labels(site).inc(len(batch.readings))
        marked = (batch.readings.reasons & int(Reason.LATE)) != 0
        metrics.late.labels(site).inc(int(marked.sum()))
        metrics.duplicates.labels(site).inc(batch.duplicates)
        metrics.intervals.labels(site).inc(batch.intervals.size)
        metrics.batch_no.labels(site).set(batch_no)
        for refusal in refusals:
            metrics.rejected.labels(site, refusal.reason).inc(refusal.count)
        metrics.tail.labels(site).set(held)
        self._status.batch_no = batch_no
        if batch.watermark != NEVER:
            metrics.watermark.labels(site).set(batch.watermark / 1e6)
            self._status.watermark = batch.watermark
