"""A seeded database and the application over it, in process."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql
from psycopg.conninfo import make_conninfo

from service.app import create_app
from tests.service.seeding import NOW, Seed, seed

ADMIN_KEY = "sw_test_admin"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True, slots=True)
class SeededDatabase:
    """A database and what is in it."""

    dsn: str
    seed: Seed


@pytest.fixture
def clock() -> Clock:
    """The application's clock; it stands at NOW."""
    return Clock()


@pytest.fixture(scope="session")
def shared(postgres_server: str, migrated_template: str) -> Iterator[SeededDatabase]:
    """Facts for tests that change none; keys and inbox rows may be added, under names of their own."""
    with seeded_database(postgres_server, migrated_template) as made:
        yield made


@pytest.fixture
def seeded(shared: SeededDatabase) -> Seed:
    """What is in the shared database; see `seeding`."""
    return shared.seed


@pytest.fixture
async def app(shared: SeededDatabase, clock: Clock) -> AsyncIterator[FastAPI]:
    """The application over the shared database, started."""
    made = create_app(shared.dsn, ADMIN_KEY, now=clock)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    async with client_of(app) as made:
        yield made


@pytest.fixture
def client(anonymous: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client with the admin key."""
    anonymous.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
    return anonymous


@asynccontextmanager
async def admin_client(dsn: str, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the admin key over any database."""
    app = create_app(dsn, ADMIN_KEY, now=clock)
    async with app.router.lifespan_context(app), client_of(app) as made:
        made.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        yield made


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that sees what a real one would: an application's fault is a 500, not an exception."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://stackwatt.test")


@contextmanager
def migrated_database(server: str, template: str) -> Iterator[str]:
    """A migrated database of its own."""
    name = f"stackwatt_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        yield make_conninfo(server, dbname=name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def seeded_database(server: str, template: str) -> Iterator[SeededDatabase]:
    """A migrated and seeded database of its own."""
    with migrated_database(server, template) as dsn:
        yield SeededDatabase(dsn, seed(dsn))
