"""The part of `requirements.lock` that runs in a plant: without the tools of development.

    python deploy/runtime_lock.py requirements.lock

prints it, versions and hashes as they are. What needs a package stands in the comments that
the lock's maker writes behind it (`# via …`). Standard library only: an image is built with it.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = "stackwatt (pyproject.toml)"
"""How the lock names our own dependencies; those of groups have the group behind a colon."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==")
_NEEDED_BY = re.compile(r"^    #   (?! )(.+)$|^    # via (.+)$", re.MULTILINE)


def runtime(lock: str) -> str:
    """The pins that our own dependencies lead to.

    Raises:
        ValueError: the lock does not say what needs its packages.
    """
    pins = dict(_pins(lock))
    needed_by = {
        name: {one or other for one, other in _NEEDED_BY.findall(text)} for name, text in pins.items()
    }
    found = {ROOT}
    while added := {name for name, users in needed_by.items() if users & found} - found:
        found |= added
    if len(found) == 1:
        raise ValueError(f"no package is there via {ROOT}: expected a lock with its comments")
    return "".join(text for name, text in pins.items() if name in found)


def _pins(lock: str) -> Iterator[tuple[str, str]]:
    for text in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        pin = _PIN.match(text)
        if pin is not None:
            yield pin.group(1), text


if __name__ == "__main__":
    sys.stdout.write(runtime(Path(sys.argv[1]).read_text(encoding="utf-8")))
