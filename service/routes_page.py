"""The live page: own files, read once, served with a strict policy.

No build step, nothing from elsewhere: the page works on a network without a way
out. Figures come by the API like anybody's.
"""

import hashlib
from importlib import resources

from fastapi import APIRouter, Request, Response

from service.problems import nothing_here
from service.tabular import knows

router = APIRouter(include_in_schema=False)

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FOLDER = resources.files("service") / "page"
_FILES = {
    file.name: file.read_bytes() for file in _FOLDER.iterdir() if file.name.rpartition(".")[2] in _TYPES
}
_TAGS = {name: f'"{hashlib.sha256(content).hexdigest()[:32]}"' for name, content in _FILES.items()}


@router.get("/")
async def index(request: Request) -> Response:
    """The page."""
    return _file(request, "index.html")


@router.get("/page/{name}")
async def file(request: Request, name: str) -> Response:
    """One of its files."""
    if name not in _FILES:
        raise nothing_here(request)
    return _file(request, name)


def _file(request: Request, name: str) -> Response:
    headers = {"ETag": _TAGS[name], "Cache-Control": "no-cache"}
    if knows(request, _TAGS[name]):
        return Response(None, 304, headers)
    return Response(_FILES[name], 200, headers, _TYPES[name.rpartition(".")[2]])
