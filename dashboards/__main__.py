"""`python -m dashboards`: write the JSON of every board anew."""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards import BOARDS
from dashboards.panels import Board, made

JSON = Path(__file__).resolve().parent / "json"


def text_of(board: Board) -> str:
    """A board as it is committed."""
    return json.dumps(made(board).build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Write all of them."""
    for board in BOARDS:
        (JSON / f"{board.uid}.json").write_text(text_of(board), encoding="utf-8")


if __name__ == "__main__":
    main()
