"""TLS towards a broker: whom to believe, and who we are."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import InputError


@dataclass(frozen=True, slots=True)
class BrokerTls:
    """Files in PEM, for `mqtts://`."""

    authority: Path | None = None
    """Who may have signed the broker's certificate; None: whom the system believes."""
    certificate: Path | None = None
    """Ours; None: the broker asks for none."""
    key: Path | None = None
    """Of our certificate; None: it is in the same file."""
    verify: bool = True
    """Whether the broker has to prove who it is; without, anybody between reads and changes everything."""

    def context(self) -> ssl.SSLContext:
        """What a connection is made with.

        Raises:
            InputError: a file is not there or is none.
        """
        name, file = "authority", self.authority
        try:
            context = ssl.create_default_context(cafile=file)
            if self.certificate is not None:
                name, file = "certificate", self.certificate
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            said = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            raise InputError(f"MQTT TLS {name} {str(file)!r}: {said}; expected a file in PEM") from None
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def in_words(error: BaseException) -> str:
    """Why there is no connection; where it is the broker's certificate, what would have been one."""
    said = str(error)
    if "CERTIFICATE_VERIFY_FAILED" not in said:
        return said
    return f"the broker's certificate is not believed ({said}): expected one of the authority in STACKWATT_MQTT_CA"
