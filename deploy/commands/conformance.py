"""`conformance`: a file of worked examples against what the product computes."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path | None, typer.Argument(help="JSON list of {id, op, inputs, expected, tol}.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
AsList = Annotated[bool, typer.Option("--list", help="Name every operation with its inputs and units.")]


def conformance(file: File = None, as_json: AsJson = False, as_list: AsList = False) -> None:
    """Compute worked examples, one line each; exit 1 if one does not come out as expected."""
    from ingest.conformance import conform, described
    from ingest.errors import InputError

    if as_list:
        typer.echo("\n".join(described()))
        return
    if file is None:
        raise InputError("no file is given; expected a JSON file of worked examples, or --list")
    verdict = conform(file)
    passed = len(verdict.examples) - len(verdict.failed)
    if as_json:
        typer.echo(json.dumps(asdict(verdict) | {"passed": passed, "failed": len(verdict.failed)}))
    else:
        for example in verdict.examples:
            said = "pass" if example.fault is None else f"FAIL  {example.fault}"
            typer.echo(f"{example.id}  {example.op}  {said}")
        typer.echo(f"{passed} passed, {len(verdict.failed)} failed, of {len(verdict.examples)}")
    raise typer.Exit(1 if verdict.failed else 0)
