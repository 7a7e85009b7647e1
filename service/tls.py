"""TLS of the port the service listens on: a certificate, its key, and whose clients are let in."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import InputError


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM."""

    certificate: Path
    """Of the service, with those between it and its authority."""
    key: Path
    client_authority: Path | None = None
    """Only clients with a certificate of this authority are let in; None: all."""

    def check(self) -> None:
        """Refuse what cannot be used, before anything listens.

        Raises:
            InputError: a file is not there, is none, or the key is another certificate's.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"TLS certificate {str(self.certificate)!r} with key {str(self.key)!r}: {_words(error)};"
                " expected a certificate and its key in PEM"
            ) from None
        if self.client_authority is None:
            return
        try:
            context.load_verify_locations(self.client_authority)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"TLS authority {str(self.client_authority)!r}: {_words(error)}; expected certificates in PEM"
            ) from None

    def options(self) -> dict[str, Any]:
        """What uvicorn is told."""
        told: dict[str, Any] = {"ssl_certfile": str(self.certificate), "ssl_keyfile": str(self.key)}
        if self.client_authority is not None:
            told |= {"ssl_ca_certs": str(self.client_authority), "ssl_cert_reqs": ssl.CERT_REQUIRED}
        return told


def tls_of(certificate: Path | None, key: Path | None, client_authority: Path | None) -> Tls | None:
    """The TLS of three settings, None for none.

    Raises:
        InputError: one is given without what it needs.
    """
    if certificate is None or key is None:
        if (certificate, key, client_authority) != (None, None, None):
            raise InputError("TLS needs a certificate and its key: expected both")
        return None
    return Tls(certificate, key, client_authority)


def _words(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)
