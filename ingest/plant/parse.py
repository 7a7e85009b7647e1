"""Text of a plant file to a `PlantFile`.

YAML by the core schema of YAML 1.2: `on` and `no` are texts, 1e9 is a number,
12:30 is not 750, dates stay texts until a field wants one, and a key that stands
twice is a fault rather than the later one. Nothing here looks at what the ids
mean.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ingest.errors import PlantError
from ingest.plant.factors import looked_up
from ingest.plant.file import PlantFile
from ingest.plant.sentence import from_validation

try:  # the same parser in C; a file of 100 000 points takes seconds instead of a minute
    from yaml import CSafeLoader as _Base
except ImportError:
    from yaml import SafeLoader as _Base  # type: ignore[assignment]


def load_plant(path: Path) -> PlantFile:
    """Read and check a plant file.

    Raises PlantError, one sentence, where it cannot be read or is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlantError(f"{path}: cannot be read: {error.strerror}; expected a plant file") from None
    except UnicodeDecodeError as error:
        raise PlantError(f"{path}: byte {error.start} is not UTF-8; expected a text in UTF-8") from None
    return parse_plant(text, path.name)


def parse_plant(text: str, name: str) -> PlantFile:
    """Check the text of a plant file; `name` is what errors call it."""
    return from_body(looked_up(read_yaml(text, name), name), name)


def read_yaml(text: str, name: str) -> Any:
    """Read YAML as plant files are written in it; `name` is what errors call it."""
    try:
        return yaml.load(text, Loader=_CoreLoader)  # noqa: S506  a safe loader with fewer types
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
        raise PlantError(f"{name}: {where}: {error.problem}; expected YAML") from None
    except yaml.YAMLError:
        raise PlantError(f"{name}: the file holds characters that YAML forbids; expected YAML") from None


def from_body(body: Any, name: str) -> PlantFile:
    """Check decoded content: of a file, or the body a plan version is stored as."""
    try:
        file = PlantFile.model_validate(body)
    except ValidationError as error:
        raise from_validation(name, error, PlantFile) from None
    file._origin = name  # noqa: SLF001  pydantic keeps private attributes out of the constructor
    return file


_MOST_DIGITS = 400
"""No float has more before its point; int() itself refuses more than 4300."""


class _CoreLoader(_Base):
    """Safe loading with the scalar types of the core schema only, and unique keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's shape

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable) or key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice or is no text", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+0123456789."),
    ),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def _whole(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    digits = loader.construct_scalar(node)
    if len(digits) > _MOST_DIGITS:
        raise yaml.constructor.ConstructorError(
            None, None, f"a number of {len(digits)} digits", node.start_mark
        )
    return int(digits)  # YAML 1.1 would read 010 as 8


_CoreLoader.add_constructor("tag:yaml.org,2002:int", _whole)
