"""What the routes of declarations and of documents have in common: propose, approve, refuse.

A proposal is decided under the lock of its table, in one transaction with the answer
that tells what has become of it. The routes themselves, their names and texts, are
those of `service.routes_declarations` and `service.routes_documents`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Request, Response

from service.access import Access
from service.bodies import KEY_PARAMETER, asked_in, checked_key
from service.claims import Asked, Nothing
from service.context import service_of
from service.documents import answer
from service.plans import SitePlan
from service.problems import documented
from service.proposal_pages import Pages
from service.proposals import Proposal
from service.store import Connection
from service.tabular import document

C = TypeVar("C")
P = TypeVar("P", bound=Proposal)


@dataclass(frozen=True, slots=True)
class Steps(Generic[C, P]):
    """The steps of one kind of proposals: claims of type C, known as P."""

    pages: Pages[Any]
    example: dict[str, Any]
    """Of one, for OpenAPI."""
    propose: Callable[[Connection, SitePlan, C, Access, str, int], Awaitable[tuple[int, bool]]]
    find: Callable[[Connection, Access, int, Sequence[SitePlan]], Awaitable[tuple[SitePlan, P]]]
    approve: Callable[[Connection, SitePlan, P, Access, str, int], Awaitable[bool]]

    @property
    def number_problems(self) -> tuple[str, str]:
        """What can be wrong with one that is named by its number."""
        return f"unknown-{self.pages.of.word}", f"{self.pages.of.word}-conflict"

    def described(
        self, model: type[Asked] | None, example: dict[str, Any] | None, status: int, *problems: str
    ) -> dict[str, Any]:
        """What OpenAPI says of a POST route: its header, its body, its answers."""
        extra: dict[str, Any] = {"parameters": [KEY_PARAMETER]}
        if model is not None:
            content = {"schema": model.model_json_schema(), "example": example}
            extra["requestBody"] = {"required": True, "content": {"application/json": content}}
        answered = answer(self.pages.answered, {**self.example, "repeated": False}, status=status)
        return {
            "status_code": status,
            "openapi_extra": extra,
            "responses": {**answered, **refused(*problems)},
        }

    async def known(self, request: Request, access: Access, number: int) -> tuple[SitePlan, P]:
        """One that was proposed, as it stands now.

        Raises:
            ProblemError: there is none of this number.
        """
        service = service_of(request)
        async with service.store.transaction() as connection:
            return await self.find(connection, access, number, await service.plans.all(connection))

    async def proposed(
        self, request: Request, access: Access, site: SitePlan, claim: C, key: str
    ) -> Response:
        """The answer to a claim, which is a proposal now.

        Raises:
            ProblemError: it contradicts what counts, or the key stands for another one.
        """
        service = service_of(request)
        async with service.store.transaction() as connection:
            number, repeated = await self.propose(connection, site, claim, access, key, service.now())
            told = await self.pages.one(connection, site, number, repeated=repeated)
        return document(request, told, status=201)

    async def approved(
        self, request: Request, access: Access, number: int, idempotency_key: str | None
    ) -> Response:
        """The answer to an approval.

        Raises:
            ProblemError: its author asks, it is decided otherwise, or it contradicts what counts now.
        """
        key, now = checked_key(idempotency_key), service_of(request).now

        async def approve(connection: Connection, site: SitePlan, given: P) -> bool:
            return await self.approve(connection, site, given, access, key, now())

        return await self._decided(request, access, number, approve)

    async def refused(
        self, request: Request, access: Access, number: int, idempotency_key: str | None
    ) -> Response:
        """The answer to a refusal; its key is asked for as everywhere, though nothing is added.

        Raises:
            ProblemError: it is decided otherwise.
        """
        checked_key(idempotency_key)
        now = service_of(request).now

        async def refuse(connection: Connection, _: SitePlan, given: P) -> bool:
            return await self.pages.of.refuse(connection, given, access, now())

        return await self._decided(request, access, number, refuse)

    async def _decided(
        self,
        request: Request,
        access: Access,
        number: int,
        decide: Callable[[Connection, SitePlan, P], Awaitable[bool]],
    ) -> Response:
        service = service_of(request)
        await asked_in(request, Nothing)
        async with service.store.transaction() as connection:
            sites = await service.plans.all(connection)
            site, given = await self.find(connection, access, number, sites)
            repeated = await decide(connection, site, given)
            told = await self.pages.one(connection, site, number, repeated=repeated)
        return document(request, told)


def refused(*problems: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of how a POST route can be refused: as all are, and by `problems`."""
    return documented(
        "idempotency-key-missing", "no-key", "wrong-scope", "wrong-site", "body-too-large", "wrong-media-type",
        "invalid-parameter", "invalid-body", "idempotency-key-reused", *problems, "database-away",
    )  # fmt: skip
