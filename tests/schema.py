"""A database's schema as text: what two of them have to agree in."""

import re
import subprocess

from deploy.pg_programs import apart, find_program

_NAMED = re.compile(r" CONSTRAINT \w+_not_null\d* NOT NULL")
"""PostgreSQL numbers such a name if another table was made before with the same: the order tells, not the schema."""
_REMARKS = re.compile(r"^(--( (Name|Data for Name|PostgreSQL database|Dumped)\b.*)?)?\n", re.MULTILINE)
_CHANCE = re.compile(r"^\\(un)?restrict .*\n", re.MULTILINE)
"""A word that pg_dump makes up anew for each dump."""


def dumped(dsn: str, *options: str) -> str:
    """What pg_dump says as SQL, without owners, remarks and what differs from one dump to the next."""
    address, environment = apart(dsn)
    program, _ = find_program("pg_dump", 18)
    command = [str(program), "--no-owner", *options, "--dbname", address]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return _REMARKS.sub("", _CHANCE.sub("", said))


def schema(dsn: str) -> str:
    """Tables, columns, constraints, indexes, functions, triggers, views, rights and comments."""
    return _NAMED.sub(" NOT NULL", dumped(dsn, "--schema-only"))
