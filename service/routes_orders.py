"""What is known of orders, production and machine states.

An order's id may hold `/`, so its address takes what no other route does. Of an order whose id is a word of
`routes_mes`' addresses (start, job-response, …) only the list tells.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.convertors import Convertor, register_url_convertor

from ingest.mes.model import Book
from service import as_of, cursors, orders
from service.access import Access
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import service_of
from service.documents import answer
from service.orders import OrderAnswer, OrdersPage, ProductionPage, StatesPage, Wanted
from service.parameters import OfSite, Paged, SpanOf, resolved
from service.plans import SitePlan
from service.problems import ProblemError, documented, invalid
from service.tabular import document


class OrderConvertor(Convertor[str]):
    """An order's id in an address: anything but the words behind which a MES tells."""

    regex = "(?!(?:start|pause|resume|stop|job-response)$).+"

    def convert(self, value: str) -> str:
        """As it is."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


register_url_convertor("order", OrderConvertor())

router = APIRouter(tags=["orders"])

_PLACES = range(10**9)


class UnitAsked(OfSite, SpanOf, AsOfAsked, Paged):
    """What reaches into a span."""

    unit: str | None = Field(
        None, max_length=300, description="Only on this unit, by its full id or of its site"
    )


class ProductionAsked(UnitAsked):
    """Which production."""

    product: str | None = Field(None, max_length=200, description="Only of this product")


class OrdersAsked(ProductionAsked):
    """Which orders."""

    batch: str | None = Field(None, max_length=200, description="Only of this batch")
    running: bool | None = Field(None, description="Only those that run, or only those that do not")


class OrderAsked(OfSite, AsOfAsked):
    """As of when, and where several sites have the id, of which."""


_KNOWN = {"batch_no": 812, "known_at": "2026-11-20T08:00:04.010000Z"}
_MADE = {
    "id": "p-9", "site": "mill", "unit": "mill/line1", "order": "4711", "product": "meal", "from": "2026-11-20T06:00:00Z",
    "to": "2026-11-20T07:00:00Z", "good": 40.0, "scrap": 0.5, "measure": "t",
}  # fmt: skip
_ORDER: dict[str, Any] = {
    "id": "4711", "site": "mill", "product": "meal", "batch": "B7", "planned": 120.0, "measure": "t", "running": True,
    "closed": False, "segments": [{"unit": "mill/line1", "from": "2026-11-20T06:00:00Z", "to": None}],
    "produced": [_MADE], "contradictions": [],
}  # fmt: skip
_STATE = {"site": "mill", "unit": "mill/line1", "state": "idle", "from": "2026-11-20T06:00:00Z", "to": None}
_LISTED = documented(
    "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
)


def _page(item: dict[str, Any]) -> dict[str, Any]:
    return {"as_of": {"mill": _KNOWN}, "items": [item], "next": None}


@router.get(
    "/v1/orders",
    summary="Orders that ran in a span",
    responses={**answer(OrdersPage, _page(_ORDER)), **_LISTED},
)
async def list_orders(request: Request, access: Reader, asked: Annotated[OrdersAsked, Query()]) -> Response:
    """Those with a segment that reaches into [from, to), by site and begin, each whole."""
    wanted = Wanted(asked.unit, asked.product, asked.batch, asked.running)
    return await _answer(request, access, asked, OrdersPage, wanted, orders.listed)


@router.get(
    "/v1/orders/{order_id:order}",
    summary="An order",
    responses={
        **answer(OrderAnswer, {**_ORDER, "as_of": _KNOWN}),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "unknown-order", "invalid-parameter", "database-away"
        ),
    },
)  # fmt: skip
async def one_order(
    request: Request,
    access: Reader,
    order_id: Annotated[str, Path(max_length=200, description="An order's id; may hold /")],
    asked: Annotated[OrderAsked, Query()],
) -> Response:
    """All that is known of it; also one that has not run yet."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        known = await as_of.resolve_all(connection, sites, asked.as_of, service.now())
        found = [
            OrderAnswer(**dict(order), as_of=known[site.plan.site].document)
            for site in sites
            if (order := await orders.one(connection, site, order_id, known[site.plan.site])) is not None
        ]
    if not found:
        raise ProblemError("unknown-order", f"There is no order {order_id!r}.")
    if len(found) > 1:
        expected = f"one of {', '.join(order.site for order in found)}, for each has an order of this id"
        raise invalid("Query parameter", "site", asked.site, expected)
    return document(request, found[0], tagged=True)


@router.get(
    "/v1/production",
    summary="What was produced in a span",
    responses={**answer(ProductionPage, _page(_MADE)), **_LISTED},
)
async def list_production(
    request: Request, access: Reader, asked: Annotated[ProductionAsked, Query()]
) -> Response:
    """Counts that reach into [from, to), as they were told, of orders and of units at large."""
    wanted = Wanted(asked.unit, asked.product, None, None)
    return await _answer(request, access, asked, ProductionPage, wanted, orders.production)


@router.get(
    "/v1/states",
    summary="States of units in a span",
    responses={**answer(StatesPage, _page(_STATE)), **_LISTED},
)
async def list_states(request: Request, access: Reader, asked: Annotated[UnitAsked, Query()]) -> Response:
    """What the MES told; spans that reach into [from, to), each with its own ends."""
    wanted = Wanted(asked.unit, None, None, None)
    return await _answer(request, access, asked, StatesPage, wanted, orders.states)


Made = TypeVar("Made", bound=BaseModel)


async def _answer(
    request: Request,
    access: Access,
    asked: UnitAsked,
    page: Callable[..., BaseModel],
    wanted: Wanted,
    made: Callable[[SitePlan, Book, tuple[int, int], Wanted], Sequence[Made]],
) -> Response:
    """A page of what `made` makes of each site's book, site after site."""
    service, found = service_of(request), list[Made]()
    skipped = 0 if asked.cursor is None else cursors.decode(asked.cursor, (_PLACES,))[0]
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        now = service.now()
        known = await as_of.resolve_all(connection, sites, asked.as_of, now)
        for site in sites:
            of_site = known[site.plan.site]
            span = resolved(asked, site.plan, of_site.at(now), of_site.watermark)
            found += made(site, await orders.read(connection, site, span, of_site), span, wanted)
    items = found[skipped : skipped + asked.limit]
    left = skipped + len(items) < len(found)
    body = page(
        as_of={site: one.document for site, one in known.items()},
        items=items,
        next=cursors.encode([skipped + len(items)]) if left else None,
    )
    return document(request, body, tagged=True)
