"""Secrets that come as files: NAME_FILE beside NAME, as container platforms hand them out.

Read once, before a command looks at its environment; afterwards each is under its own
name. A password of its own goes into the database's or the broker's address. No
sentence here holds a secret.
"""

from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg.conninfo import make_conninfo

from ingest.errors import InputError
from ingest.settings import check_dsn

DSN, DSN_PASSWORD = "STACKWATT_DSN", "STACKWATT_DB_PASSWORD"
MQTT_URL, MQTT_PASSWORD = "STACKWATT_MQTT_URL", "STACKWATT_MQTT_PASSWORD"
NAMES = (
    DSN,
    DSN_PASSWORD,
    MQTT_URL,
    MQTT_PASSWORD,
    "STACKWATT_MQTT_SESSION",
    "STACKWATT_ADMIN_KEY",
    "STACKWATT_KEY",
)
"""What may be given as a file, each by its name with _FILE behind it."""
_MOST_BYTES = 64 * 1024


def read_secrets(environment: MutableMapping[str, str]) -> None:
    """Put what files hold under the names they are meant for, and passwords into their addresses.

    Raises:
        InputError: a file cannot be read or is empty, a secret is given twice, or a password has no address.
    """
    for name in NAMES:
        file = environment.pop(f"{name}_FILE", None)
        if file is None:
            continue
        if name in environment:
            raise InputError(f"{name} and {name}_FILE are both given: expected one of them")
        environment[name] = _content(f"{name}_FILE", Path(file))
    password = environment.pop(DSN_PASSWORD, None)
    if password is not None:
        dsn = check_dsn(_address(environment, DSN, DSN_PASSWORD))
        environment[DSN] = make_conninfo(dsn, password=password)
    password = environment.pop(MQTT_PASSWORD, None)
    if password is not None:
        environment[MQTT_URL] = _with_password(_address(environment, MQTT_URL, MQTT_PASSWORD), password)


def _content(name: str, file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        text = content.decode().strip()
    except OSError as error:
        raise InputError(
            f"{name} is {str(file)!r}: {error.strerror}; expected a file with the secret"
        ) from None
    except UnicodeDecodeError:
        text = ""
    if not text or len(content) > _MOST_BYTES or "\0" in text:
        raise InputError(
            f"{name} is {str(file)!r}: expected a file with the secret as text, and nothing else"
        )
    return text


def _address(environment: MutableMapping[str, str], name: str, password: str) -> str:
    if name not in environment:
        raise InputError(f"{password} is given without {name}: expected the address it is for")
    return environment[name]


def _with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at or not user or ":" in user:
        raise InputError(f"{MQTT_PASSWORD} is given: expected {MQTT_URL} with a user and without a password")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))
