"""All boards, in the order of the table in the README."""

from dashboards.boards import alarms, carbon, energy, health, instruments, intensity, overview, quality

BOARDS = tuple(
    module.BOARD for module in (overview, energy, intensity, carbon, alarms, instruments, quality, health)
)
