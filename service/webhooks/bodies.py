"""What a delivery says, in the three forms an endpoint may ask for.

    native        {"id", "type", "timestamp", "site", "stream", "sequence", "data"}
    cloudevents   CloudEvents 1.0, structured JSON, extension `sequence` as text that sorts
    alertmanager  version 4 of Alertmanager's webhook body (`alertmanager`)

Whatever an event's data hold, there is a body. The same delivery has the same body in every
attempt; `sequence` grows by one with each delivery of an endpoint.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from service.times import format_instant
from service.webhooks.alertmanager import alertmanager_body

SEQUENCE_HEADER = "stackwatt-sequence"
TEST = "webhook.test"
"""Type of what is sent because somebody asked for a test."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told."""

    event_id: str
    type: str
    stream: str
    occurred_at: int
    """µs."""
    sequence: int
    data: Any


def composed(form: str, message: Message, site: str, receiver: str, public_url: str) -> tuple[str, bytes]:
    """(media type, body) of a delivery.

    Args:
        form: native, cloudevents or alertmanager.
        message: what is told.
        site: id of the site.
        receiver: full id of the endpoint.
        public_url: where people find the service's page, which makes links absolute; may be empty.
    """
    data = _linked(message.data, public_url)
    at = format_instant(message.occurred_at)
    match form:
        case "cloudevents":
            return "application/cloudevents+json", _json(
                {
                    "specversion": "1.0",
                    "id": message.event_id,
                    "source": f"{public_url.rstrip('/')}/sites/{quote(site)}",
                    "type": f"stackwatt.{message.type}",
                    "subject": message.stream,
                    "time": at,
                    "datacontenttype": "application/json",
                    "sequence": f"{message.sequence:020d}",
                    "data": data,
                }
            )
        case "alertmanager":
            body = alertmanager_body(
                message.type,
                data if isinstance(data, Mapping) else {},
                receiver=receiver,
                external_url=public_url,
                occurred_at=at,
                event_id=message.event_id,
            )
            return "application/json", _json(body)
        case _:
            return "application/json", _json(
                {
                    "id": message.event_id,
                    "type": message.type,
                    "timestamp": at,
                    "site": site,
                    "stream": message.stream,
                    "sequence": message.sequence,
                    "data": data,
                }
            )


def _linked(data: Any, public_url: str) -> Any:
    """The data with a link that leads somewhere from outside too, if it is known where the service is."""
    if not isinstance(data, dict):
        return data
    link = data.get("link")
    if not public_url or not isinstance(link, str) or not link.startswith("/"):
        return data
    return {**data, "link": f"{public_url.rstrip('/')}{link}"}


def _json(body: Mapping[str, Any]) -> bytes:
    # Not msgspec, which has no integers beyond 64 bits.
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
