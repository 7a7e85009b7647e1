"""Which port a server gets.

A default port that is busy moves to the next free one; a port somebody asked
for is theirs or nobody's. There is a moment between looking and listening in
which another process may take the port: the server then fails at start.
"""

import socket

from ingest.errors import InputError

_TRIES = 100


def is_free(port: int, bind: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError:
            return False
    return True


def has_address(bind: str) -> bool:
    """Whether this machine has the address, so that a server could listen on it at all."""
    return is_free(0, bind)


def choose(option: str, asked: int | None, default: int, bind: str, taken: set[int]) -> int:
    """The port asked for by `option`, else the first free one from `default` on; adds it to `taken`."""
    if asked is not None:
        if asked in taken or not is_free(asked, bind):
            raise InputError(
                f"{option} {asked} is busy on {bind}: choose another port or leave the option out"
            )
        taken.add(asked)
        return asked
    for port in range(default, default + _TRIES):
        if port not in taken and is_free(port, bind):
            taken.add(port)
            return port
    raise InputError(
        f"no free port between {default} and {default + _TRIES - 1} on {bind}: give one by {option}"
    )
