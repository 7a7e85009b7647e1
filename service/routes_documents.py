"""Documents as activity data: proposed by one key, approved or refused by another.

What a document says is judged by `service.document_claims`, what it contradicts by
`service.documenting`. No figure is changed by a request: an approved document is taken
up by ingest.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from service import document_claims, document_csv, document_pages, documenting
from service.access import Access
from service.auth import Operator, Reader
from service.bodies import KEY_PARAMETER, IdempotencyKey, asked_in, checked_key, json_bytes
from service.claims import WithdrawalAsked
from service.context import service_of
from service.document_claims import DocumentAsked, DocumentClaim, OneDocumentAsked
from service.document_pages import DocumentFact, Kind
from service.documenting import Known
from service.documents import Document, Page, answer
from service.parameters import OfSite, Paged, Parameters, Tabular
from service.plans import SitePlan
from service.problems import ProblemError, documented
from service.proposal_pages import NUMBER, State
from service.routes_proposals import Steps, refused
from service.tabular import document, table

router = APIRouter(tags=["documents"])

Number = Annotated[int, Path(ge=1, lt=NUMBER.stop, description="A document's number, as the service counts")]

EXAMPLE: dict[str, Any] = {
    "document": 4,
    "site": "cement",
    "kind": "invoice",
    "number": "RE-2026-1187",
    "activity": "coal",
    "analysis": None,
    "from": "2026-10-31T16:00:00Z",
    "to": "2026-11-30T16:00:00Z",
    "lot": None,
    "quantity": 19710.5,
    "value": None,
    "unit": "t",
    "file_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "supersedes": None,
    "withdraws": None,
    "note": "",
    "author": "m.weber",
    "proposed_at": "2026-12-02T07:55:00Z",
    "state": "proposed",
    "checker": None,
    "decided_at": None,
    "batch_no": None,
    "failure": None,
}
_ASKED_EXAMPLE = {
    "site": "cement",
    "kind": "invoice",
    "number": "RE-2026-1187",
    "activity": "coal",
    "from": "2026-11-01",
    "to": "2026-12-01",
    "quantity": 19710.5,
    "unit": "t",
    "file_sha256": EXAMPLE["file_sha256"],
}


class DocumentsAsked(OfSite, Tabular, Paged):
    """Which documents."""

    state: State | None = Field(None, description="Only those in this state")
    kind: Kind | None = Field(None, description="Only of this kind")
    subject: str | None = Field(None, max_length=255, description="Only of this activity or analysis")


class OfFile(Parameters):
    """Whose documents a file holds."""

    site: str = Field(max_length=255, description="The site of all its rows")


class AcceptedFile(Document):
    """What became of a file of documents."""

    documents: list[int] = Field(description="The numbers of its rows, in their order")
    repeated: bool = Field(description="The same had been sent before; nothing was added")


_STEPS: Steps[DocumentClaim, Known] = Steps(
    document_pages.PAGES, EXAMPLE, documenting.propose, documenting.known, documenting.approve
)


@router.post(
    "/v1/documents",
    summary="Propose a document",
    **_STEPS.described(OneDocumentAsked, _ASKED_EXAMPLE, 201, "unknown-site", "document-conflict"),
)
async def propose(request: Request, access: Operator, idempotency_key: IdempotencyKey = None) -> Response:
    """Enter what an invoice, a weighbridge ticket, a change of stock or an analysis says.

    A second key has to approve it. Dates and times without an offset are the site's.
    """
    service, key = service_of(request), checked_key(idempotency_key)
    asked = await asked_in(request, OneDocumentAsked)
    site = await _site(request, access, asked.site)
    claim = document_claims.claim_of(site.plan, asked, service.now())
    return await _STEPS.proposed(request, access, site, claim, key)


_CSV_EXAMPLE = "kind,number,activity,from,to,quantity,unit,file_sha256\r\n" + ",".join(
    ("invoice", "RE-2026-1187", "coal", "2026-11-01", "2026-12-01", "19710.5", "t", EXAMPLE["file_sha256"])
)


@router.post(
    "/v1/documents/csv",
    summary="Propose the documents of a CSV file",
    status_code=201,
    openapi_extra={
        "parameters": [KEY_PARAMETER],
        "requestBody": {
            "required": True,
            "description": "A header of the members of a document, a row each; at most 1 MiB",
            "content": {"text/csv": {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}},
        },
    },
    responses={
        **answer(AcceptedFile, {"documents": [4, 5], "repeated": False}, status=201),
        **refused("unknown-site", "document-conflict"),
    },
)
async def propose_file(
    request: Request,
    access: Operator,
    asked: Annotated[OfFile, Query()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Enter all documents of a file, or none if one of them is wrong. A second key has to approve each."""
    service, key = service_of(request), checked_key(idempotency_key)
    site = await _site(request, access, asked.site)
    content = await json_bytes(request, "text/csv")
    claims = [
        (line, _on_line(line, site, row, service.now())) for line, row in document_csv.asked_rows(content)
    ]
    numbers, repeated = [], bool(claims)
    async with service.store.transaction() as connection:
        for line, claim in claims:
            try:
                number, before = await documenting.propose(
                    connection, site, claim, access, f"{key} line {line}", service.now()
                )
            except ProblemError as problem:
                raise document_csv.of_line(line, problem) from None
            numbers.append(number)
            repeated = repeated and before
    return document(request, AcceptedFile(documents=numbers, repeated=repeated), status=201)


def _on_line(line: int, site: SitePlan, asked: DocumentAsked, now: int) -> DocumentClaim:
    try:
        return document_claims.claim_of(site.plan, asked, now)
    except ProblemError as problem:
        raise document_csv.of_line(line, problem) from None


@router.post(
    "/v1/documents/{number}/withdraw",
    summary="Propose that a document be undone",
    **_STEPS.described(WithdrawalAsked, {"note": "Entered twice"}, 201, *_STEPS.number_problems),
)
async def withdraw(
    request: Request, access: Operator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """Undo a document that counts now; what it superseded counts again. A second key has to approve it."""
    key = checked_key(idempotency_key)
    asked = await asked_in(request, WithdrawalAsked)
    site, given = await _STEPS.known(request, access, number)
    claim = document_claims.withdrawal(given.claim, number, asked.note)
    return await _STEPS.proposed(request, access, site, claim, key)


@router.post(
    "/v1/documents/{number}/approve",
    summary="Approve a document",
    **_STEPS.described(None, None, 200, *_STEPS.number_problems, "second-person-needed"),
)
async def approve(
    request: Request, access: Operator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """Let a document that another key has proposed take effect; ingest takes it up within a second."""
    return await _STEPS.approved(request, access, number, idempotency_key)


@router.post(
    "/v1/documents/{number}/refuse",
    summary="Refuse a document, or take back one's own",
    **_STEPS.described(None, None, 200, *_STEPS.number_problems),
)
async def refuse(
    request: Request, access: Operator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """End a proposal that is not decided yet; it stays in the list."""
    return await _STEPS.refused(request, access, number, idempotency_key)


@router.get(
    "/v1/documents",
    summary="Documents, the newest first",
    responses={
        **answer(Page[DocumentFact], {"items": [EXAMPLE], "next": None}, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
        ),
    },
)
async def listed(request: Request, access: Reader, asked: Annotated[DocumentsAsked, Query()]) -> Response:
    """Documents of the sites the key covers, decided or not, also those superseded or withdrawn."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        page = await document_pages.PAGES.page(
            connection,
            sites,
            {"state": asked.state, "kind": asked.kind, "subject": asked.subject},
            asked.limit,
            asked.cursor,
        )
    return table(request, page, asked.format)


async def _site(request: Request, access: Access, name: str) -> SitePlan:
    service = service_of(request)
    async with service.store.snapshot() as connection:
        [site] = await service.plans.visible(connection, access, name)
    return site
