"""A report as CSV and XLSX: the numbers of its JSON, none rounded and none left out.

CSV is long, one line per member: block, row, member, value. XLSX has a sheet per block. Members of members are
named with dots; a list of plain values is one text. openpyxl is loaded where a workbook is written.
"""

import io
from collections.abc import Iterator, Mapping
from typing import Any

from service.reports.document import Report
from service.tabular import as_csv

Scalar = str | int | float | bool | None
CSV_COLUMNS = ("block", "row", "member", "value")
_SHEET_NAME = 31


def flat(given: Mapping[str, Any], prefix: str = "") -> dict[str, Scalar]:
    """The members of a document by their dotted names; entries of a list of documents by their place."""
    found: dict[str, Scalar] = {}
    for name, value in given.items():
        whole = f"{prefix}{name}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{whole}.")
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            found |= flat({str(place): one for place, one in enumerate(value)}, f"{whole}.")
        elif isinstance(value, list):
            found[whole] = " ".join(str(one) for one in value)
        else:
            found[whole] = value
    return found


def sheets(report: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Scalar]]]]:
    """The parts of a report as it is written in JSON: `report` with all but the blocks, then each block's rows."""
    head = {name: value for name, value in report.items() if name != "blocks"}
    for block in report["blocks"]:
        about = {name: block[name] for name in ("basis", "href", "reason", "head")}
        head[block["id"]] = about
    yield "report", [flat(head)]
    for block in report["blocks"]:
        yield block["id"], [flat(item) for item in block["items"]]


def csv_of(report: Report) -> str:
    """One line per member."""
    lines = [
        (name, place, member, value)
        for name, items in sheets(report.model_dump(by_alias=True))
        for place, item in enumerate(items)
        for member, value in item.items()
    ]
    return as_csv(CSV_COLUMNS, lines)


def xlsx_of(report: Report) -> bytes:
    """A workbook with a sheet per block; the first says what it is of, a member per row."""
    from openpyxl import Workbook  # noqa: PLC0415  takes a third of a second, and few ask for it
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = Workbook(write_only=True)
    for name, items in sheets(report.model_dump(by_alias=True)):
        sheet = book.create_sheet(name[:_SHEET_NAME])
        rows: list[list[Scalar]]
        if name == "report":
            rows = [[member, value] for member, value in items[0].items()]
        else:
            columns = list(dict.fromkeys(member for item in items for member in item))
            rows = [list(columns), *([item.get(member) for member in columns] for item in items)]
        for values in rows:
            cells = [WriteOnlyCell(sheet, value=_written(value)) for value in values]
            for cell, value in zip(cells, values, strict=True):
                if value is not None and not isinstance(value, bool):
                    cell.data_type = "s" if isinstance(value, str) else "n"
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _written(value: Scalar) -> str | bool | None:
    """A value as its cell has it: openpyxl would write 16 digits of a float, and take a text with = for a formula."""
    return value if value is None or isinstance(value, bool) else str(value)
