"""A strict reader of Alertmanager's webhook body, version 4.

Written from the description of `webhook_config` in Alertmanager's documentation and its data
model: every key is there and of its type, no other key is, statuses are the two words, labels
and annotations are texts under names of the Prometheus data model, times are RFC 3339, a
firing alert has not ended, and what is common to all alerts is exactly that.
"""

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

_TOP = {
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
    "commonAnnotations", "externalURL", "alerts",
}  # fmt: skip
_ALERT = {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def read(body: bytes) -> dict[str, Any]:
    """The document; ValueError says what no Alertmanager would send."""
    document: dict[str, Any] = json.loads(body)
    _keys(document, _TOP, "the body")
    _is(document["version"] == "4", "version")
    _is(bool(_text(document["groupKey"])), "groupKey")
    _is(type(document["truncatedAlerts"]) is int and document["truncatedAlerts"] >= 0, "truncatedAlerts")
    _is(bool(_text(document["receiver"])), "receiver")
    _url(document["externalURL"])
    for name in ("groupLabels", "commonLabels", "commonAnnotations"):
        _pairs(document[name], name)
    alerts = document["alerts"]
    _is(isinstance(alerts, list) and len(alerts) > 0, "alerts")
    for alert in alerts:
        _alert(alert)
    firing = any(alert["status"] == "firing" for alert in alerts)
    _is(document["status"] == ("firing" if firing else "resolved"), "status")
    _is(document["commonLabels"] == _common([alert["labels"] for alert in alerts]), "commonLabels")
    _is(
        document["commonAnnotations"] == _common([alert["annotations"] for alert in alerts]),
        "commonAnnotations",
    )
    _is(document["groupLabels"].items() <= document["commonLabels"].items(), "groupLabels")
    return document


def _alert(alert: Any) -> None:
    _keys(alert, _ALERT, "an alert")
    _is(alert["status"] in ("firing", "resolved"), "status of an alert")
    _pairs(alert["labels"], "labels")
    _is("alertname" in alert["labels"], "alertname")
    _is(all(alert["labels"].values()), "an empty label, which is none")
    _pairs(alert["annotations"], "annotations")
    starts_at, ends_at = _instant(alert["startsAt"]), _instant(alert["endsAt"])
    if alert["status"] == "firing":
        _is(ends_at.year == 1, "endsAt of a firing alert")
    else:
        _is(ends_at >= starts_at, "endsAt before startsAt")
    _url(alert["generatorURL"])
    _is(re.fullmatch(r"[0-9a-f]{16}", _text(alert["fingerprint"])) is not None, "fingerprint")


def _keys(value: Any, expected: set[str], what: str) -> None:
    _is(isinstance(value, dict) and set(value) == expected, f"the keys of {what}: {value}")


def _pairs(value: Any, what: str) -> None:
    _is(isinstance(value, dict), what)
    for name, text in value.items():
        _is(_NAME.fullmatch(name) is not None and isinstance(text, str), f"{what}: {name}={text!r}")


def _instant(value: Any) -> datetime:
    text = _text(value)
    _is(_TIME.fullmatch(text) is not None, f"a time: {text}")
    return datetime.fromisoformat(text)


def _url(value: Any) -> None:
    text = _text(value)
    _is(not text or urlsplit(text).scheme in ("http", "https"), f"an address: {text}")


def _text(value: Any) -> str:
    _is(isinstance(value, str), f"a text: {value!r}")
    return str(value)


def _common(every: list[dict[str, str]]) -> dict[str, str]:
    return {name: text for name, text in every[0].items() if all(one.get(name) == text for one in every)}


def _is(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(f"no Alertmanager says so: {what}")
