"""`documents`: invoices, weighbridge tickets and analyses, proposed by one key and approved by another.

A client of the HTTP API, as `declare` is.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.commands.proposals import (
    Key,
    Limit,
    Note,
    Proposals,
    Service,
    Site,
    State,
    failure,
    opened,
    people,
)

app = typer.Typer(help="Documents as activity data, and their approval.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(min=1, help="The document's number.")]


@app.command("list")
def listed(
    site: Site = None,
    state: State = None,
    limit: Limit = 100,
    service: Service = None,
    key: Key = None,
) -> None:
    """Print documents: number, state, kind and own number, what, span, by whom."""
    _DOCUMENTS.listed(service, key, site, state, limit)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV: a header of a document's members, a row each.")],
    site: Annotated[str, typer.Option(help="The site of all its rows.")],
    service: Service = None,
    key: Key = None,
) -> None:
    """Propose the documents of a CSV file, all or none; the same file again changes nothing."""
    from ingest.errors import InputError

    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; expected a CSV file") from error
    once = hashlib.sha256(content).hexdigest()
    told = opened(service, key).send("/v1/documents/csv", content, "text/csv", once, site=site)
    numbers = told["documents"]
    word = "were proposed before" if told["repeated"] else "proposed"
    typer.echo(f"{file.name}: {len(numbers)} documents {word}: {' '.join(map(str, numbers))}")


@app.command("withdraw")
def withdraw(number: Number, note: Note, service: Service = None, key: Key = None) -> None:
    """Propose that a document be undone."""
    _DOCUMENTS.withdraw(service, key, number, note)


@app.command("approve")
def approve(
    numbers: Annotated[list[int], typer.Argument(min=1, help="The documents' numbers.")],
    service: Service = None,
    key: Key = None,
) -> None:
    """Let what another key has proposed take effect."""
    for number in numbers:
        _DOCUMENTS.approve(service, key, number)


@app.command("refuse")
def refuse(number: Number, service: Service = None, key: Key = None) -> None:
    """Refuse what another key has proposed, or take back one's own."""
    _DOCUMENTS.refuse(service, key, number)


def _line(told: Mapping[str, Any]) -> str:
    subject = told["activity"] or told["analysis"]
    match told["kind"]:
        case "withdrawal":
            what = f"undoes {told['withdraws']}"
        case "analysis":
            what = f"{told['value']} {told['unit']}"
        case _:
            what = f"{told['quantity']} {told['unit']}"
    span = f"lot {told['lot']}" if told["from"] is None else f"{told['from']} to {told['to']}"
    return (
        f"{told['document']}  {told['state']}  {told['kind']} {told['number']} of {subject}, {span}: {what}, "
        f"{people(told, 'checked', 'checker')}{failure(told)}"
    )


_DOCUMENTS = Proposals("documents", _line)
