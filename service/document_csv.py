"""Documents from a CSV file: a header of the members of a document, a row each.

An empty field is a member that is not there. All rows are judged before any is proposed,
and the first wrong one is told with its line.
"""

import csv
import io
from collections.abc import Iterator

from service.bodies import checked, invalid_body
from service.document_claims import DocumentAsked
from service.documents import columns_of
from service.problems import ProblemError, shown

_NUMBERS = {"quantity": float, "value": float, "supersedes": int}
COLUMNS = columns_of(DocumentAsked)
MOST_ROWS = 5000


def asked_rows(content: bytes) -> Iterator[tuple[int, DocumentAsked]]:
    """The line (the header is line 1) and the document of each row.

    Raises:
        ProblemError: it is no such file, or a row is wrong.
    """
    try:
        lines = io.StringIO(content.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        raise invalid_body("malformed", f"it is not UTF-8 at byte {error.start}.") from None
    reader = csv.reader(lines, strict=True)
    try:
        header = _header(next(reader, []))
        for number, fields in enumerate(reader, 1):
            line = reader.line_num
            if not any(fields):
                continue
            if number > MOST_ROWS:
                raise invalid_body(
                    "malformed", f"it has more than {MOST_ROWS} rows: expected at most so many."
                )
            if len(fields) != len(header):
                raise invalid_body(
                    "malformed",
                    f"line {line} has {len(fields)} fields: expected {len(header)}, as the header.",
                )
            yield line, _asked(line, dict(zip(header, fields, strict=True)))
    except csv.Error as error:
        raise invalid_body("malformed", f"line {reader.line_num} is no CSV: {error}.") from None


def of_line(line: int, problem: ProblemError) -> ProblemError:
    """The problem of a row, with its line."""
    return ProblemError(problem.name, f"Line {line}: {problem}", **problem.members, line=line)


def _header(fields: list[str]) -> list[str]:
    header = [field.strip() for field in fields]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or not header:
        given = shown(unknown[0]) if unknown else "missing"
        raise invalid_body("malformed", f"column {given} is unknown: expected of {', '.join(COLUMNS)}.")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise invalid_body("malformed", f"column {twice[0]!r} stands twice: expected each once.")
    return header


def _asked(line: int, fields: dict[str, str]) -> DocumentAsked:
    given: dict[str, object] = {}
    for name, text in fields.items():
        value = text.strip()
        if not value:
            continue
        given[name] = value.split() if name == "basis" else value
        if name in _NUMBERS:
            try:
                given[name] = _NUMBERS[name](value)
            except ValueError:
                given[name] = value  # the sentence below says what was expected
    try:
        return checked(DocumentAsked, given)
    except ProblemError as problem:
        raise of_line(line, problem) from None
