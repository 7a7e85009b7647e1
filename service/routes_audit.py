"""The audit log by HTTP, for whoever may administer."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from service import audit
from service.audit import AuditLine, Chosen
from service.auth import Administrator
from service.context import service_of
from service.documents import Instant, Page, answer
from service.parameters import OfSite, Paged, Tabular
from service.problems import documented
from service.tabular import chosen_format, table

router = APIRouter(tags=["audit"])


class AuditAsked(OfSite, Tabular, Paged):
    """Which lines."""

    who: str | None = Field(None, max_length=200, description="Only what this key or account has changed")
    what: str | None = Field(None, max_length=100, description="Only these: key.created, or all of key")
    from_: Instant | None = Field(
        None, alias="from", description="First instant; default: the first there is"
    )
    to: Instant | None = Field(None, description="End, exclusive; default: now")


_EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "audit_no": 41,
            "at": "2026-11-20T08:00:00Z",
            "who": "m.weber",
            "via": "api",
            "what": "declaration.approved",
            "site": "cement",
            "subject": "declaration 12",
            "before": {"state": "proposed"},
            "after": {"state": "approved"},
        }
    ],
    "next": None,
}


@router.get(
    "/v1/audit",
    summary="Who changed what, the newest first",
    responses={
        **answer(Page[AuditLine], _EXAMPLE, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
        ),
    },
)
async def listed(request: Request, access: Administrator, asked: Annotated[AuditAsked, Query()]) -> Response:
    """Lines of the sites the administrator's key covers; those of no one site if it covers all.

    Keys, declarations, documents, tests, sealed periods, applied plant files, restatements. In CSV `before` and
    `after` are JSON.
    """
    service = service_of(request)
    of_no_site = access.sites is None and asked.site is None
    chosen = Chosen(asked.who, asked.what, asked.from_, asked.to, of_no_site)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        page = await audit.page(
            connection,
            sites,
            chosen,
            asked.limit,
            asked.cursor,
            flat=chosen_format(request, asked.format) == "csv",
        )
    return table(request, page, asked.format)
