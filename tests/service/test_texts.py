"""Instants, spans and cursors as texts: there and back, and refused otherwise. No request makes the service fail."""

import math
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.model import DAY, HOUR, MINUTE, SECOND
from service import cursors
from service.problems import ProblemError
from service.times import FIRST_INSTANT, LAST_INSTANT, format_instant, format_span, parse_instant, parse_span
from tests.service.test_routes import READ, problem_of


@given(st.integers(FIRST_INSTANT, LAST_INSTANT))
def test_an_instant_reads_back_as_itself(at: int) -> None:
    assert parse_instant(format_instant(at)) == at


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_795_161_600_250_000, "2026-11-20T08:00:00.250000Z"),
        (1_795_161_600_000_001, "2026-11-20T08:00:00.000001Z"),
    ],
)
def test_microseconds_are_written_only_where_there_are_any(at: int, text: str) -> None:
    assert format_instant(at) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-20",
        "2026-11-20T08:00:00",
        "1795161600000",
        "1969-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected an RFC 3339 time"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "span", "shown"),
    [
        ("90s", 90 * SECOND, "90s"),
        ("60s", MINUTE, "1min"),
        ("15min", 15 * MINUTE, "15min"),
        ("24h", DAY, "24h"),
        ("7d", 7 * DAY, "168h"),
        ("120min", 2 * HOUR, "2h"),
    ],
)
def test_a_span_is_a_number_and_a_unit(text: str, span: int, shown: str) -> None:
    assert parse_span(text) == span
    assert format_span(span) == shown


@pytest.mark.parametrize("text", ["", "0s", "-1h", "1.5h", "1 h", "1w", "h", "999999999999d", "\uff11h"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a span such as 90s"):
        parse_span(text)


@given(
    st.integers(FIRST_INSTANT, LAST_INSTANT),
    st.integers(-1, 2**63 - 1),
    st.floats(),
)
def test_a_cursor_reads_back_as_itself(at: int, number: int, value: float) -> None:
    found = cursors.decode(cursors.encode([at, number, value]), (cursors.INSTANT, range(-1, 2**63), float))
    assert found[:2] == [at, number]
    assert found[2] == value or (math.isnan(found[2]) and math.isnan(value))


@given(st.text(max_size=80))
def test_any_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(ProblemError, match="expected the `next`"):
        cursors.decode(text, (cursors.INSTANT, cursors.INSTANT, float))


ODD = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["2026-11-20T08:00:00Z", "2200-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1min", "3660d", "1s", "day", "csv",
         "cement", "steel", "-1", "0", "10000", "99999999999999999999", "gas", "bnVsbA", "WzFd", "W10", "\0", "%00"]
    ),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([path for path in READ if path != "/v1/live"]),
    asked=st.dictionaries(
        st.sampled_from(
            ["from", "to", "window", "step", "limit", "cursor", "site", "format", "group_by", "x"]
        ),
        ODD,
    ),
)
async def test_no_question_makes_the_service_fail(
    client: httpx.AsyncClient, path: str, asked: dict[str, Any]
) -> None:
    query = "&".join(f"{name}={quote(value)}" for name, value in asked.items())
    response = await client.get(f"{path}?{query}")
    assert response.status_code in (200, 404, 422), (path, query, response.text)
    if response.status_code != 200:
        problem_of(response)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(min_size=1, max_size=30))
async def test_no_id_makes_the_service_fail(client: httpx.AsyncClient, name: str) -> None:
    for path in (f"/v1/points/{quote(name)}/readings", f"/v1/kpis/cement/{quote(name)}/series"):
        response = await client.get(path)
        assert response.status_code in (404, 422), (name, response.text)
        problem_of(response)
