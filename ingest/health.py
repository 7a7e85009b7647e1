"""`/healthz`, `/readyz` and `/metrics` of the ingest process.

Alive is one thing, ready another: ready means that readings of every site are
taken in and stored now, and if not, the answer says what is missing and why.
"""

from collections.abc import Callable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingest.status import SiteStatus


def health_app(sites: Callable[[], Sequence[SiteStatus]], registry: CollectorRegistry) -> Starlette:
    """The HTTP application; `sites` is asked at every request."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        answer = {status.site: _condition(status) for status in sites()}
        ready = bool(answer) and all(status.ready for status in sites())
        return JSONResponse({"ready": ready, "sites": answer}, status_code=200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)],
    )


def _condition(status: SiteStatus) -> dict[str, object]:
    return {
        "ready": status.ready,
        "missing": status.waits_for,
        "caught_up": status.caught_up,
        "batch_no": status.batch_no,
        "watermark_us": status.watermark,
    }
