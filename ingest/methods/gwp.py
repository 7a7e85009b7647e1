"""Global warming potentials over 100 years, by the report they come from.

A set is never a default of a figure without its name: with SAR a coal mine is
60 % methane, with AR5 67 %. Values are transcriptions of the reports that agree
with each other; C2F6 of AR6 is not confirmed. A gas a report does not list has
no value there.
"""

from collections.abc import Mapping

GWP100: Mapping[str, Mapping[str, float]] = {
    "SAR": {"co2": 1, "ch4": 21, "n2o": 310, "cf4": 6500, "c2f6": 9200, "sf6": 23900},
    "AR4": {"co2": 1, "ch4": 25, "n2o": 298, "cf4": 7390, "c2f6": 12200, "sf6": 22800, "nf3": 17200},
    "AR5": {"co2": 1, "ch4": 28, "n2o": 265, "cf4": 6630, "c2f6": 11100, "sf6": 23500, "nf3": 16100},
    "AR6": {"co2": 1, "ch4": 27.9, "n2o": 273, "cf4": 7380, "c2f6": 12400, "sf6": 24300, "nf3": 17400},
}
"""Set → gas → kg CO2e per kg."""
