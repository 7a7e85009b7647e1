"""The store's numbers under the names that a plant file had in each of its versions.

Apart from `ingest.store.versions`, which folds: the service asks too, and loads no kernel.
"""

from collections.abc import Sequence
from itertools import count
from typing import Any


def numbers_then(
    versions: Sequence[tuple[int, str, list[dict[str, Any]]]], known: dict[str, int]
) -> dict[int, dict[str, int]]:
    """Per version the number of each name in it, from today's names.

    Goes through the versions as `ingest.store.registry` did: what an entry was formerly
    becomes it, unless there is one of that name already.
    """
    table: dict[str, int] = {}
    tokens = count()
    named: dict[int, dict[str, int]] = {}
    for version, site, entries in versions:
        for entry in entries:
            name = f"{site}/{entry['id']}"
            for former in entry["formerly"]:
                if name not in table and f"{site}/{former}" in table:
                    table[name] = table.pop(f"{site}/{former}")
            table.setdefault(name, next(tokens))
        named[version] = {f"{site}/{entry['id']}": table[f"{site}/{entry['id']}"] for entry in entries}
    today = {token: known[name] for name, token in table.items() if name in known}
    return {
        version: {name: today[token] for name, token in mine.items() if token in today}
        for version, mine in named.items()
    }
