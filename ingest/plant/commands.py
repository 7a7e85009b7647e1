"""What `stackwatt plant check|diff|schema` does, without the printing.

Applying a version is the store's; it takes `canonical` from `ingest.plant.body`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ingest.plant.body import canonical
from ingest.plant.compile import compile_plan
from ingest.plant.file import PlantFile
from ingest.plant.parse import load_plant
from ingest.plant.plan import Plan


def check(path: Path) -> Plan:
    """Compile a plant file; PlantError, one sentence, where it is wrong."""
    return compile_plan(load_plant(path))


def diff(old: PlantFile, new: PlantFile) -> list[str]:
    """What changes from one file to another, a line each; nothing where they mean the same.

    `+` is added, `-` removed, `~` changed; entries are named by their ids and a
    rename by `formerly` is one line.
    """
    return changes(canonical(old)[1], canonical(new)[1])


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The lines of `diff` for two stored bodies."""
    return list(_compare("", "", old, new))


def schema() -> dict[str, Any]:
    """JSON Schema of the plant file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stackwatt plant file",
        **PlantFile.model_json_schema(),
    }


def _compare(head: str, path: str, old: Any, new: Any) -> Iterator[str]:
    """Lines for what lies at `path` of the entry `head` (nothing: the file itself)."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from _compare(head, f"{path}.{key}".removeprefix("."), old.get(key), new.get(key))
    elif _has_ids(old) and _has_ids(new):
        yield from _compare_entries(f"{head} {path}".strip(), old, new)
    else:
        where = f"{head}: {path}" if head else path
        yield f"~ {where}: {_spell(old)} → {_spell(new)}"


def _compare_entries(kind: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[str]:
    before = {entry["id"]: entry for entry in old}
    after = {entry["id"]: entry for entry in new}
    renamed = {
        former: entry["id"]
        for entry in new
        for former in entry.get("formerly") or ()
        if former in before and entry["id"] not in before
    }
    for name, entry in before.items():
        now = renamed.get(name, name)
        if now not in after:
            yield f"- {kind} {name}"
        elif now == name:
            yield from _compare(f"{kind} {name}", "", entry, after[name])
        else:
            yield f"~ {kind} {name}: now {now}"
            yield from _compare(f"{kind} {now}", "", _without_id(entry), _without_id(after[now]))
    for name in after:
        if name not in before and name not in renamed.values():
            yield f"+ {kind} {name}"


def _without_id(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in {"id", "formerly"}}


def _has_ids(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) and "id" in entry for entry in value)


def _spell(value: Any) -> str:
    return "none" if value is None else str(value)
