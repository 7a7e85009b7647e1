"""An event as Prometheus Alertmanager would send it: version 4 of its webhook body.

One alert a body, which is a group of its own: labels say what it is and stay the same from
episode to episode, annotations say what is the matter now. Whatever is told of an alert
(a note, an acknowledgement) repeats its present status. Numbers are texts, as there.
"""

import re
from collections.abc import Mapping
from typing import Any

from ingest.wire.times import BAD_TIME, instant_of

NEVER = "0001-01-01T00:00:00Z"
"""The end of an alert that has none."""
_FNV_OFFSET, _FNV_PRIME, _BITS_64 = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
_ADDRESS = re.compile(r"https?://[^\s\[\]]+")
_LABELS = ("severity", "kind", "site", "unit_path")
_ANNOTATIONS = (
    "cause",
    "advice",
    "value",
    "limit",
    "unit",
    "comparison",
    "valid_share",
    "quality",
    "episode",
)
_STAKES = ("energy_kwh", "co2_t", "money", "currency")


def alertmanager_body(
    kind: str, data: Mapping[str, Any], *, receiver: str, external_url: str, occurred_at: str, event_id: str
) -> dict[str, Any]:
    """The body of one event.

    Args:
        kind: its type.
        data: what it says; what is missing is left out.
        receiver: full id of the endpoint.
        external_url: where the service's page is; may be empty.
        occurred_at: RFC 3339.
        event_id: the webhook-id.
    """
    labels = _labels(kind, data)
    annotations = _annotations(kind, data) | {"event": event_id}
    resolved = data.get("state") == "resolved" or kind in ("alert.resolved", "webhook.test")
    status = "resolved" if resolved else "firing"
    starts_at = _first(data, "fired_at", "pending_at", "at") or occurred_at
    ends_at = _first(data, "resolved_at", "at") or occurred_at
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": starts_at,
        "endsAt": max(starts_at, ends_at, key=instant_of) if resolved else NEVER,
        "generatorURL": _link(data.get("link")) or external_url,
        "fingerprint": fingerprint(labels),
    }
    return {
        "version": "4",
        "groupKey": "{}:{" + ", ".join(f"{name}={_quoted(labels[name])}" for name in sorted(labels)) + "}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": external_url,
        "alerts": [alert],
    }


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a over 64 bits of the labels in order, each name and value ended by 0xff; 16 hex digits."""
    found = _FNV_OFFSET
    for name in sorted(labels):
        for byte in name.encode() + b"\xff" + labels[name].encode() + b"\xff":
            found = (found ^ byte) * _FNV_PRIME & _BITS_64
    return f"{found:016x}"


def _labels(kind: str, data: Mapping[str, Any]) -> dict[str, str]:
    labels = {"alertname": _text(data.get("rule")) or kind}
    labels |= {name: text for name in _LABELS if (text := _text(data.get(name)))}
    subject = data.get("subject")
    if isinstance(subject, Mapping):
        labels |= {
            f"subject_{name}": text for name in ("kind", "id", "window") if (text := _text(subject.get(name)))
        }
    return labels


def _annotations(kind: str, data: Mapping[str, Any]) -> dict[str, str]:
    found = {"told": kind}
    found |= {name: text for name in _ANNOTATIONS if (text := _text(data.get(name)))}
    stake = data.get("at_stake")
    if isinstance(stake, Mapping):
        found |= {f"at_stake_{name}": text for name in _STAKES if (text := _text(stake.get(name)))}
    if "cause" in found:
        found["summary"] = found.pop("cause")
    return found


def _first(data: Mapping[str, Any], *names: str) -> str | None:
    """The first of some instants that is there and is one."""
    for name in names:
        text = data.get(name)
        if isinstance(text, str) and instant_of(text) != BAD_TIME:
            return text
    return None


def _link(value: Any) -> str:
    """An address that leads somewhere; a link within the page does not, to whom is elsewhere."""
    return value if isinstance(value, str) and _ADDRESS.fullmatch(value) else ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
