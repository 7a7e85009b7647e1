"""What `declare` and `documents` have in common: proposals, asked of the HTTP API and printed.

No command of its own. Who asks is told by a key, since a name that could be typed would
make every second person the first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

Note = Annotated[str, typer.Option(help="Why.")]
Site = Annotated[str | None, typer.Option(help="Only of this site.")]
State = Annotated[str | None, typer.Option(help="Only in this state: proposed, in_effect, withdrawn, ….")]
Limit = Annotated[int, typer.Option(min=1, help="At most this many, the newest first.")]
Service = Annotated[
    str | None,
    typer.Option(
        envvar="STACKWATT_SERVICE", help="Address of the service [default: the stack's in ./.state]."
    ),
]
Key = Annotated[
    str | None, typer.Option(envvar="STACKWATT_KEY", hidden=True, help="Only from the environment.")
]


@dataclass(frozen=True, slots=True)
class Proposals:
    """The proposals of one kind, each printed as a line."""

    collection: str
    """Their name in addresses of the API."""
    line: Callable[[Mapping[str, Any]], str]

    def listed(
        self, service: str | None, key: str | None, site: str | None, state: str | None, limit: int
    ) -> None:
        """Print those of a site, in a state; of all where None is given."""
        from deploy.http_api import path_of

        told = opened(service, key).get(path_of(self.collection), site=site, state=state, limit=limit)
        for one in told["items"]:
            typer.echo(self.line(one))

    def withdraw(self, service: str | None, key: str | None, number: int, note: str) -> None:
        """Propose that one be undone, and print the proposal."""
        self._step(service, key, number, "withdraw", {"note": note})

    def approve(self, service: str | None, key: str | None, number: int) -> None:
        """Approve one and print it."""
        self._step(service, key, number, "approve")

    def refuse(self, service: str | None, key: str | None, number: int) -> None:
        """Refuse one and print it."""
        self._step(service, key, number, "refuse")

    def _step(
        self,
        service: str | None,
        key: str | None,
        number: int,
        step: str,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        from deploy.http_api import path_of

        typer.echo(self.line(opened(service, key).post(path_of(self.collection, number, step), body)))


def opened(service: str | None, key: str | None) -> Any:
    """The API of a service as somebody; the stack's in ./.state where none is given."""
    from deploy.http_api import HttpApi, stored_service

    return HttpApi(stored_service(service), key)


def people(told: Mapping[str, Any], decided: str, decider: str) -> str:
    """Who proposed one and, in the words `decided`, who is its `decider`, if it has one."""
    second = "" if told[decider] is None else f", {decided} by {told[decider]}"
    return f"by {told['author']}{second}"


def failure(told: Mapping[str, Any]) -> str:
    """Why one could not take effect, for the end of its line."""
    return "" if told["failure"] is None else f" [{told['failure']}]"
