"""How long until ready: ingest with and without compiled kernels, and the service."""

import tempfile
from pathlib import Path

from tests.benchmarks.bed import Bed, ingest, service
from tests.benchmarks.figures import Figure, Figures, rounded
from tests.benchmarks.plants import plant


def run(bed: Bed, *, quick: bool) -> Figures:
    """Seconds from the start of a process to its first ready answer."""
    found = []
    dsn = bed.database()
    if not quick:
        with tempfile.TemporaryDirectory(prefix="stackwatt-bench-cache-") as cache:
            Path(cache).chmod(0o700)
            with ingest(bed, dsn, plant("startup", 100), {"NUMBA_CACHE_DIR": cache}) as ours:
                found.append(Figure("ingest_compiling_s", rounded(ours.await_ready(180))))
    with ingest(bed, dsn, plant("startup", 100)) as ours:
        found.append(Figure("ingest_from_cache_s", rounded(ours.await_ready(180))))
        with service(bed, dsn) as api:
            found.append(Figure("service_s", rounded(api.await_ready())))
    bed.drop(dsn)
    return found
