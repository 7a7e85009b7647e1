"""Where the broker is: `mqtt://user:password@host:port` taken apart.

`mqtt` is plain TCP (1883), `mqtts` is TLS (8883). The password never appears in
a message or a representation.
"""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from ingest.errors import InputError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """One broker and who we are to it."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a broker URL; user and password may be percent-encoded.

        Raises:
            InputError: it is not a broker URL; the sentence shows no password.
        """
        parts = urlsplit(url)
        shown = f"{parts.scheme}://…{parts.netloc.rpartition('@')[2]}{parts.path}"
        try:
            port = parts.port or _PORTS.get(parts.scheme, 0)
            host = (parts.hostname or "").encode("idna").decode("ascii")
        except ValueError:  # a port that is no port, or a host name that is none
            port, host = 0, ""
        if not port or not host or parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise InputError(
                f"broker URL {shown!r}: expected mqtt://[user[:password]@]host[:port] or mqtts://…"
            )
        user, password = parts.username, parts.password
        return cls(
            host,
            port,
            parts.scheme == "mqtts",
            None if user is None else unquote(user),
            None if password is None else unquote(password),
        )

    def __str__(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"
