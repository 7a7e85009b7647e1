"""Where people and systems are told of events: the `webhooks` of a plant file.

An entry says which events go where and which secrets sign them; the secrets themselves
stand in the environment or in a file of the process that delivers (`service.webhooks`),
never here, for the plant file is stored and shown. Whether an address may be reached
is no matter of the plant file either: that is told to the process.
"""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, PlainSerializer, model_validator

from ingest.model import MINUTE, SECOND
from ingest.plant.fields import Entry, Path, Segment, Span, Variable

EVENT_TYPES = (
    "alert.firing",
    "alert.resolved",
    "alert.noted",
    "alert.acknowledged",
    "alert.commented",
    "alert.assigned",
    "order.footprint.ready",
    "order.footprint.revised",
    "figure.revised",
    "period.sealed",
)
"""Types of events that a plant may be told of."""

SEVERITIES = ("info", "warning", "critical")
"""From the least; an index compares them."""

_WORD = re.compile(r"[a-z]+(\.[a-z]+)*")
_FIRST_OPEN_PORT = 1024


def _pattern(value: str) -> str:
    if not any(matches(value, kind) for kind in EVENT_TYPES):
        raise ValueError(
            "a type of events such as alert.firing, or the beginning of some such as alert.*;"
            f" there are {', '.join(EVENT_TYPES)}"
        )
    return value


def matches(pattern: str, kind: str) -> bool:
    """Whether a type of events is meant by a pattern: itself, `*`, or a beginning such as `alert.*`."""
    if pattern == "*":
        return True
    stem, star, rest = pattern.partition(".*")
    if not _WORD.fullmatch(stem) or rest:
        return False
    return kind.startswith(f"{stem}.") if star else kind == stem


def _address(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        raise ValueError("an address that begins with https:// or http://")
    return value


def _target(url: HttpUrl) -> HttpUrl:
    if url.fragment is not None:
        raise ValueError("an address without a fragment, which no server sees")
    port = url.port
    if port is not None and port not in (80, 443) and port < _FIRST_OPEN_PORT:
        raise ValueError(
            f"port 80, 443 or one from {_FIRST_OPEN_PORT}, for the others belong to other protocols"
        )
    return url


def _file(value: str) -> str:
    if not value.startswith("/") or not value.isprintable():
        raise ValueError("the absolute path of a file")
    return value


def _timeout(value: int) -> int:
    if not SECOND <= value <= MINUTE:
        raise ValueError("a duration from 1s to 1min")
    return value


Target = Annotated[
    HttpUrl, BeforeValidator(_address), AfterValidator(_target), PlainSerializer(str, return_type=str)
]
Pattern = Annotated[str, AfterValidator(_pattern)]
SecretFile = Annotated[str, AfterValidator(_file)]
Severity = Literal["info", "warning", "critical"]


class Webhook(Entry):
    """Where events are delivered."""

    id: Segment
    url: Target
    secret_env: Variable | None = None
    """Name of the environment variable that holds the signing secret; never the secret."""
    secret_file: SecretFile | None = None
    """Instead: the file that holds it, read for every delivery."""
    previous_secret_env: Variable | None = None
    """Of the secret before, which signs too while receivers change over."""
    previous_secret_file: SecretFile | None = None
    events: tuple[Pattern, ...] = Field(min_length=1)
    """Types of events: `alert.firing`, `alert.*`, `*`."""
    units: tuple[Path, ...] = ()
    """Only what is of these units, or of units within them; without any, the whole site."""
    severity_at_least: Severity = "info"
    """What has a severity has to have at least this one; what has none passes."""
    body: Literal["native", "alertmanager", "cloudevents"] = "native"
    timeout: Annotated[Span, AfterValidator(_timeout)] = 15 * SECOND
    """For one delivery from the look-up of the name to the end of the answer."""

    @model_validator(mode="after")
    def _no_password(self) -> Self:
        if (
            self.url.username is not None or self.url.password is not None
        ):  # here, so that no sentence shows it
            raise ValueError("a url without a user and password, for a plant file holds no secrets")
        return self

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.secret_env is None) == (self.secret_file is None):
            raise ValueError("either a secret_env or a secret_file")
        if self.previous_secret_env is not None and self.previous_secret_file is not None:
            raise ValueError("a previous_secret_env or a previous_secret_file")
        return self

    @model_validator(mode="after")
    def _alerts_only(self) -> Self:
        if self.body == "alertmanager" and not all(pattern.startswith("alert.") for pattern in self.events):
            raise ValueError("events of alerts only, for the body alertmanager tells of nothing else")
        return self

    def wants(self, kind: str, unit: str | None, severity: str | None) -> bool:
        """Whether it is told of an event of this type, unit (path within the site) and severity."""
        if not any(matches(pattern, kind) for pattern in self.events):
            return False
        if self.units and (unit is None or not any(f"{unit}/".startswith(f"{one}/") for one in self.units)):
            return False
        return severity not in SEVERITIES or (
            SEVERITIES.index(severity) >= SEVERITIES.index(self.severity_at_least)
        )

    @property
    def origin(self) -> str:
        """Scheme, host and port of the address: what may be shown, for paths are often secret."""
        parts = urlsplit(str(self.url))
        return f"{parts.scheme}://{parts.netloc}"
