"""A seeded database and the application over it, in process."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from service.app import create_app
from tests.service.seeding import NOW, Seed, seed

ADMIN_KEY = "sw_test_admin"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The application's clock; it stands at NOW."""
    return Clock()


@pytest.fixture
def seeded(dsn: str) -> Seed:
    """The rows in the database; see `seeding`."""
    return seed(dsn)


@pytest.fixture
async def app(dsn: str, clock: Clock) -> AsyncIterator[FastAPI]:
    """The application, started."""
    made = create_app(dsn, ADMIN_KEY, now=clock)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://stackwatt.test") as client:
        yield client


@pytest.fixture
def client(anonymous: httpx.AsyncClient, seeded: Seed) -> httpx.AsyncClient:
    """A client with the admin key over seeded data."""
    anonymous.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
    return anonymous
