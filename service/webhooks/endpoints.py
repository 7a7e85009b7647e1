"""The webhooks of the plant files in force, with the numbers under which their deliveries stand.

Read from the stored bodies, of which nothing else is looked at: a notifier compiles no
plan. Where a body cannot be read by this release, as while another is being installed, it is said in the
log, and the site's events wait: who should hear of them is not known.
"""

import logging
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ingest.plant.webhooks import Webhook
from service.store import Connection, row, rows

log = logging.getLogger("stackwatt.webhooks")

_WEBHOOKS = TypeAdapter(tuple[Webhook, ...])


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook of a site."""

    webhook_no: int
    site_no: int
    site: str
    webhook: Webhook

    @property
    def id(self) -> str:
        """Its full id."""
        return f"{self.site}/{self.webhook.id}"


@dataclass(frozen=True, slots=True)
class InForce:
    """What the plans in force say of webhooks."""

    endpoints: tuple[Endpoint, ...] = ()
    """By site and place in the file."""
    unread: tuple[int, ...] = ()
    """Numbers of the sites whose webhooks cannot be read."""


async def in_force(connection: Connection) -> InForce:
    """Every webhook of every plan in force; new ones get their number."""
    # The same choice as `service.plans`: a plan yet to come counts only where there is no other.
    found = await rows(
        connection,
        """
        SELECT s.site_no, s.id, p.version, p.webhooks
          FROM site s
          JOIN LATERAL (
               SELECT version, body -> 'webhooks' AS webhooks FROM plan_version
                WHERE site_no = s.site_no
                ORDER BY effective_at <= now() DESC, version DESC
                LIMIT 1
               ) p ON true
         ORDER BY s.id
        """,
    )
    known = {(site_no, name): number for number, site_no, name in await rows(connection, _KNOWN)}
    endpoints, unread = list[Endpoint](), list[int]()
    for site_no, site, version, body in found:
        webhooks = _read(body, site, version)
        if webhooks is None:
            unread.append(site_no)
        for webhook in webhooks or ():
            number = known.get((site_no, webhook.id)) or await number_of(connection, site_no, webhook.id)
            endpoints.append(Endpoint(number, site_no, site, webhook))
    return InForce(tuple(endpoints), tuple(unread))


async def number_of(connection: Connection, site_no: int, webhook_id: str) -> int:
    """The number of a webhook; it is given one if it has none."""
    for _ in range(2):
        found = await row(
            connection, "SELECT webhook_no FROM webhook WHERE site_no = %s AND id = %s", [site_no, webhook_id]
        )
        if found is not None:
            return int(found[0])
        await connection.execute(
            "INSERT INTO webhook (site_no, id) VALUES (%s, %s) ON CONFLICT DO NOTHING", [site_no, webhook_id]
        )
    raise AssertionError("a row that was just inserted is there")


_KNOWN = "SELECT webhook_no, site_no, id FROM webhook"


def _read(body: Any, site: str, version: int) -> tuple[Webhook, ...] | None:
    try:
        return _WEBHOOKS.validate_python(body or ())
    except ValidationError as error:
        log.warning(
            "the webhooks of plan version %d of %s cannot be read by this release: %s",
            version,
            site,
            error.errors(include_url=False, include_input=False)[0]["msg"],
        )
        return None
