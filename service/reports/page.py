"""A report to be printed: HTML of the same document as its JSON, on A4, with our own style sheet and nothing else.

Only here numbers are rounded, to four or more significant digits as on the live page; each carries its full value
(`<data value>`). Texts are data (`texts.json`), by language.
"""

import json
from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any, Literal

from service.reports.document import Report
from service.reports.forms import Scalar, flat

Language = Literal["en", "zh"]
TEXTS: dict[str, dict[str, str]] = json.loads(
    (resources.files("service") / "reports" / "texts.json").read_text("utf-8")
)
_NARROW_SPACE = "\u202f"
_LEFT_OUT = ("href",)
_DIGITS = ((1000.0, 0), (100.0, 1), (10.0, 2), (1.0, 3))


def page_of(report: Report, language: Language) -> str:
    """The whole page."""
    texts, told = TEXTS[language], report.model_dump(by_alias=True)
    title = f"{texts[report.kind]} {report.period}"
    parts = [_head(told, texts, title)]
    for block in told["blocks"]:
        note = "" if block["basis"] == "sealed" else _beside(report, texts)
        why = (
            f'<p class="note">{escape(texts["reason"])}: {escape(block["reason"])}</p>'
            if block["reason"]
            else ""
        )
        parts.append(_section(texts, block["id"], note + why, block["items"]))
    method = told["method"]
    parts += [
        _section(texts, name, _beside(report, texts), method[name]) for name in ("factors", "boundaries")
    ]
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="/page/report.css"></head><body>{"".join(parts)}</body></html>\n'
    )


def _beside(report: Report, texts: Mapping[str, str]) -> str:
    """That a part is no part of the seal, in a report of a sealed period."""
    return "" if report.sealed is None else f'<p class="note">{escape(texts["not_frozen"])}</p>'


def _head(told: Mapping[str, Any], texts: Mapping[str, str], title: str) -> str:
    method, sealed = told["method"], told["sealed"]
    facts = [
        f"{told['from']} to {told['to']} ({told['time_zone']})",
        f"{texts['made_at']} {told['made_at']}",
        f"{texts['plan_version']} {method['plan_version']}",
        f"{texts['gwp']} {method['gwp']}",
        f"{texts['methods']}: {', '.join(method['methods'])}",
        f"{texts['uncertainty']}: {method['uncertainty']}",
    ]
    if sealed is None:
        facts.insert(0, texts["current"])
    else:
        said = f"{texts['sealed']} {sealed['sealed_at']}, {texts['sealed_by']} {sealed['sealed_by']}"
        why = "" if sealed["reason"] is None else f": {sealed['reason']}"
        facts.insert(0, f"{said}, {texts['edition']} {sealed['edition']}{why}")
    if told["provisional"]:
        facts.insert(0, f"{texts['provisional']} {told['until']}")
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    return f"<header><h1>{escape(told['name'])}: {escape(title)}</h1><ul>{items}</ul></header>"


def _section(texts: Mapping[str, str], name: str, note: str, items: list[dict[str, Any]]) -> str:
    rows = [flat({key: value for key, value in item.items() if key not in _LEFT_OUT}) for item in items]
    body = "".join(_entry(row) for row in rows) or f"<p>{escape(texts['nothing'])}</p>"
    return f'<section id="{name}"><h2>{escape(texts[name])}</h2>{note}{body}</section>'


def _entry(row: Mapping[str, Scalar]) -> str:
    """One item: its members as pairs, for there are more than a line of A4 holds."""
    pairs = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{_shown(value)}</dd></div>"
        for name, value in row.items()
        if value not in (None, "")
    )
    return f"<dl>{pairs}</dl>"


def _shown(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f'<data value="{value!r}">{rounded(value)}</data>'
    return escape(str(value))


def rounded(value: float) -> str:
    """A number to four or more significant digits; whole from a thousand on, and where it is whole."""
    if isinstance(value, int):
        return f"{value:,}".replace(",", _NARROW_SPACE)
    digits = next((digits for least, digits in _DIGITS if abs(value) >= least), 4)
    return f"{value:,.{digits}f}".replace(",", _NARROW_SPACE)
