"""Instruments: what is calibrated until when."""

from dashboards.panels import Board, Panel

BOARD = Board(
    "stackwatt-instruments",
    "Instruments",
    "Classes and calibrations by the plant file.",
    (
        Panel(
            "Instruments and their calibration",
            """SELECT id, kind, accuracy_class, serial, calibrated_on::text AS calibrated_on, due_on::text AS due_on
  FROM board.instrument WHERE site = ${site:sqlstring} ORDER BY due_on, id""",
            "/v1/instruments",
        ),
    ),
)
