"""A plant file as it is stored: the canonical body of a plan version, and back.

The body holds every key with its value, defaults included, so a version means the
same after a default has changed; spans stay texts as in the file. The digest is of
the body, so comments, order of keys and `60s` for `1min` make no new version.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ingest.plant.compile import compile_plan
from ingest.plant.file import PlantFile
from ingest.plant.parse import from_body
from ingest.plant.plan import Plan


def canonical(file: PlantFile) -> tuple[str, dict[str, Any]]:
    """(digest, body): sha256 in hex of the canonical JSON, and what to store as JSON."""
    body = file.model_dump(mode="json")
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest(), body


def plan_from_body(body: Mapping[str, Any], version: int) -> Plan:
    """The plan of a stored version.

    Raises PlantError where this release no longer understands the body.
    """
    name = f"plan version {version} of {body.get('site', 'a site')}"
    return compile_plan(from_body(dict(body), name), version)
