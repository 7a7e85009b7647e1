"""What every route of one application shares, as one value instead of an untyped bag.

Made once by `service.app.create_app`; routes take it from the request.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from service.feed import Feed
from service.key_use import KeyUse
from service.live_uncertainty import LiveUncertainty
from service.metrics import Metrics
from service.peaks import LivePeaks
from service.plans import PlanCache
from service.proxies import Proxies
from service.store import Store


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one running service."""

    store: Store
    plans: PlanCache
    feed: Feed
    live_uncertainty: LiveUncertainty
    peaks: LivePeaks
    metrics: Metrics
    key_use: KeyUse
    proxies: Proxies
    admin_digest: bytes | None
    """sha256 of the admin key; None: there is none, only keys of the database."""
    session_secret: bytes
    now: Callable[[], int]
    """µs of UTC."""


HEAD_ONLY = "stackwatt.head_only"
"""In the scope of a request whose answer is asked for without its body."""


def service_of(request: Request) -> Service:
    """The service a request came to."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service
