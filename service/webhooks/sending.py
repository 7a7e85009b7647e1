"""One attempt at one delivery: body, signature, target, POST, and what is made of the answer.

Whatever goes wrong is an attempt that failed, with a sentence: a secret that is not set, a target
that may not be reached, no answer, an answer other than 2xx. Redirects are answers other than
2xx. A receiver says with 410 that it wants no more, with Retry-After when to come again.
"""

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from ingest.errors import StackwattError
from ingest.model import SECOND
from service.webhooks.bodies import SEQUENCE_HEADER, composed
from service.webhooks.claiming import Attempt, Claimed, Verdict
from service.webhooks.endpoints import Endpoint
from service.webhooks.posting import Answer, post
from service.webhooks.schedule import Schedule, parse_retry_after
from service.webhooks.signing import secrets_of, signed
from service.webhooks.targets import Network, Resolve, addresses_of


@dataclass(frozen=True, slots=True)
class Sender:
    """What every attempt needs."""

    environment: Mapping[str, str] = field(repr=False)
    """Where secrets may be."""
    private: Sequence[Network]
    """Networks of one's own that may be delivered to."""
    public_url: str
    """Where people find the service's page; empty: not known."""
    context: ssl.SSLContext
    resolve: Resolve
    schedule: Schedule
    now: Callable[[], int]
    """µs of UTC."""
    dice: random.Random

    async def attempt(self, endpoint: Endpoint, claimed: Claimed) -> tuple[Attempt, Verdict, int | None]:
        """Send once; what happened, the verdict, and when it is tried again, µs."""
        begun_at, begun = self.now(), time.monotonic()
        answer: Answer | None = None
        try:
            answer = await self._sent(endpoint, claimed, begun_at)
            error = _objection(answer)
        except StackwattError as failure:
            error = str(failure)
        attempt = Attempt(
            begun_at=begun_at,
            duration_ms=round(1000 * (time.monotonic() - begun)),
            status=None if answer is None else answer.status,
            error=error,
            answer=None if answer is None else answer.begin,
        )
        if error is None:
            return attempt, "delivered", None
        now = self.now()
        if answer is not None and answer.status == HTTPStatus.GONE:
            return attempt, "gone", now
        asked = None if answer is None else parse_retry_after(answer.retry_after, now)
        wait = self.schedule.after(claimed.tries + 1, asked, self.dice)
        return (attempt, "dead", None) if wait is None else (attempt, "again", now + wait)

    async def _sent(self, endpoint: Endpoint, claimed: Claimed, begun_at: int) -> Answer:
        webhook, message = endpoint.webhook, claimed.message
        try:
            media_type, body = composed(webhook.body, message, endpoint.site, endpoint.id, self.public_url)
        except ValueError:
            raise StackwattError("The event's data cannot be written as JSON.") from None
        headers = {
            "content-type": media_type,
            "user-agent": "stackwatt",
            "accept-encoding": "identity",
            SEQUENCE_HEADER: str(message.sequence),
            **signed(message.event_id, begun_at // SECOND, body, secrets_of(webhook, self.environment)),
        }
        deadline = asyncio.get_running_loop().time() + webhook.timeout / SECOND
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await addresses_of(str(webhook.url), self.private, self.resolve)
            return await post(
                str(webhook.url), addresses, headers, body, context=self.context, deadline=deadline
            )
        except TimeoutError:
            raise StackwattError(f"No answer within {webhook.timeout / SECOND:g} s.") from None


def _objection(answer: Answer) -> str | None:
    """Why an answer is none that is wanted."""
    if 200 <= answer.status < 300:
        return None
    if 300 <= answer.status < 400:
        return f"It answered {answer.status}: redirects are not followed."
    if answer.status == HTTPStatus.GONE:
        return "It answered 410: it wants no more, so the webhook is disabled."
    return f"It answered {answer.status}."
