"""`declare`: corrections of readings and replaced meters, proposed by one key and approved by another.

A client of the HTTP API, as `documents` is.
"""

from collections.abc import Mapping
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

app = typer.Typer(help="Corrections of readings, replaced meters, and their approval.", no_args_is_help=True)

Point = Annotated[str, typer.Argument(help="Full id of the point: site/unit/…/point.")]
At = Annotated[str, typer.Argument(help="The instant, RFC 3339, such as 2026-11-20T08:00:00Z.")]
Number = Annotated[int, typer.Argument(min=1, help="The declaration's number.")]
UnitName = Annotated[str | None, typer.Option("--unit", help="Of the values [default: the point's].")]
_NONE = "none"


@app.command("list")
def listed(
    site: Site = None,
    state: State = None,
    limit: Limit = 100,
    service: Service = None,
    key: Key = None,
) -> None:
    """Print declarations: number, state, point, instant, what, by whom, why."""
    _DECLARATIONS.listed(service, key, site, state, limit)


@app.command("correct")
def correct(
    point: Point,
    at: At,
    value: Annotated[
        str, typer.Argument(help="What it should have said: a number, a state's name, or none.")
    ],
    note: Note,
    unit: UnitName = None,
    quality: Annotated[str | None, typer.Option(help="good, uncertain, substituted or bad.")] = None,
    service: Service = None,
    key: Key = None,
) -> None:
    """Propose what a reading should have said, or supply one that is missing."""
    from deploy.http_api import path_of

    asked = {"measured_at": at, "unit": unit, "quality": quality, "note": note}
    api = opened(service, key)
    typer.echo(_line(api.post(path_of("points", point, "corrections"), asked, value=_value(value))))


@app.command("replace")
def replace(
    point: Point,
    at: At,
    old_final: Annotated[float, typer.Argument(help="The old meter's last register.")],
    new_initial: Annotated[float, typer.Argument(help="The new meter's first register.")],
    note: Note,
    unit: UnitName = None,
    force: Annotated[
        bool, typer.Option("--force", help="Although it does not fit the readings beside it.")
    ] = False,
    service: Service = None,
    key: Key = None,
) -> None:
    """Propose with what register a counter's old meter ended and its new one began."""
    from deploy.http_api import path_of

    asked = {
        "at": at,
        "old_final": old_final,
        "new_initial": new_initial,
        "unit": unit,
        "note": note,
        "force": force,
    }
    typer.echo(_line(opened(service, key).post(path_of("points", point, "replacements"), asked)))


@app.command("withdraw")
def withdraw(number: Number, note: Note, service: Service = None, key: Key = None) -> None:
    """Propose that a declaration be undone."""
    _DECLARATIONS.withdraw(service, key, number, note)


@app.command("approve")
def approve(number: Number, service: Service = None, key: Key = None) -> None:
    """Let what another key has proposed take effect."""
    _DECLARATIONS.approve(service, key, number)


@app.command("refuse")
def refuse(number: Number, service: Service = None, key: Key = None) -> None:
    """Refuse what another key has proposed, or take back one's own."""
    _DECLARATIONS.refuse(service, key, number)


def _value(text: str) -> float | str | None:
    """A number where it is one; a state's name stays a text."""
    if text == _NONE:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _line(told: Mapping[str, Any]) -> str:
    match told["kind"]:
        case "correction":
            what = f"{told['value'] if told['value'] is not None else 'no value'} {told['unit']} ({told['quality']})"
        case "replacement":
            what = f"{told['old_final']} → {told['new_initial']} {told['unit']}"
        case _:
            what = f"undoes {told['withdraws']}"
    return (
        f"{told['declaration']}  {told['state']}  {told['kind']} of {told['id']} at {told['at']}: {what}, "
        f"{people(told, 'decided', 'decided_by')}: {told['note']}{failure(told)}"
    )


_DECLARATIONS = Proposals("declarations", _line)
