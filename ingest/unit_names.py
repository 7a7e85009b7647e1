"""Which words are units: the tables behind `ingest.units`.

Definitions in pint's notation, the prefixes each unit takes, other spellings,
and what may stand in brackets. A word that is not here is no unit.
"""

from fractions import Fraction

AXES = {
    "dry": "moisture",
    "wet": "moisture",
    "0C": "state",
    "15C": "state",
    "20C": "state",
    "GCV": "calorific value",
    "NCV": "calorific value",
    "gauge": "pressure",
    "abs": "pressure",
    "calorific": "standard coal",
    "equal_value": "standard coal",
}
"""Basis → the axis on which it excludes the others."""

BRACKETS = {
    "g": "gauge",
    "gauge": "gauge",
    "a": "abs",
    "abs": "abs",
    "dry": "dry",
    "wet": "wet",
    "0C": "0C",
    "15C": "15C",
    "20C": "20C",
    "GCV": "GCV",
    "HHV": "GCV",
    "NCV": "NCV",
    "LHV": "NCV",
}
"""What may stand in brackets after a unit → the basis it says."""

DEFINITIONS = """
m = [length]
s = [time]
g = [mass]
K = [temperature]
A = [current]
mol = [substance]
gce = [standard_coal]
goe = [oil_equivalent]
var = [reactive_power]
VA = [apparent_power]
piece = [count]
CNY = [CNY]
EUR = [EUR]
USD = [USD]
KRW = [KRW]
JPY = [JPY]
GBP = [GBP]
INR = [INR]
one = []
percent = 1/100 * one
permille = 1/1000 * one
ppm = 1/1000000 * one
ppb = 1/1000000000 * one
min = 60 * s
h = 3600 * s
d = 86400 * s
Hz = 1/s
rpm = 1/min
t = 1000000 * g
lb = 453.59237 * g
short_ton = 2000 * lb
tce = 1000000 * gce
toe = 1000000 * goe
N = 1000 * g * m / s ** 2
J = N * m
W = J / s
Wh = W * h
varh = var * h
VAh = VA * h
V = W / A
cal = 4.1868 * J
Btu = 1055.05585262 * J
mmBtu = 1000000 * Btu
therm = 100000 * Btu
Pa = N / m ** 2
bar = 100000 * Pa
atm = 101325 * Pa
psi = 6894.757293168 * Pa
mmHg = 133.322387415 * Pa
inHg = 3386.389 * Pa
mmHtwoO = 9.80665 * Pa
inHtwoO = 249.08891 * Pa
L = m ** 3 / 1000
ft = 0.3048 * m
cf = ft ** 3
cfh = cf / h
cfm = cf / min
cubic = m ** 3
gal = 3.785411784 * L
bbl = 42 * gal
degC = K; offset: 273.15
degF = 5/9 * K; offset: 459.67 * 5/9
""".strip().splitlines()
"""Base units in brackets. cal is that of the steam table, Btu of ISO 31."""

PREFIXES = {
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 10**3),
    "c": Fraction(1, 100),
    "h": Fraction(100),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
}

PREFIXED = {
    "m": "umck",
    "s": "um",
    "g": "umk",
    "t": "kM",
    "A": "mk",
    "V": "mk",
    "mol": "umk",
    "N": "k",
    "gce": "k",
    "tce": "kM",
    "goe": "k",
    "toe": "k",
    "cal": "kMG",
    "Btu": "k",
    "L": "m",
    "Hz": "kM",
    "W": "kMGT",
    "Wh": "kMGT",
    "J": "kMGT",
    "var": "kM",
    "varh": "kM",
    "VA": "kM",
    "VAh": "kM",
    "Pa": "mhkM",
    "bar": "m",
    "cf": "kM",
    "cubic": "k",
}
"""Unit → the prefixes it takes; no others exist, so `mt` is refused."""

Spelling = tuple[str, int, tuple[str, ...]]
"""Unit, exponent, basis."""

SPELLINGS: dict[str, Spelling] = {
    "1": ("one", 1, ()),
    "%": ("percent", 1, ()),
    "vol%": ("percent", 1, ()),
    "‰": ("permille", 1, ()),
    "°C": ("degC", 1, ()),
    "°F": ("degF", 1, ()),
    "sec": ("s", 1, ()),
    "hr": ("h", 1, ()),
    "l": ("L", 1, ()),
    "pcs": ("piece", 1, ()),
    "RMB": ("CNY", 1, ()),
    "mmH2O": ("mmHtwoO", 1, ()),
    "inH2O": ("inHtwoO", 1, ()),
    "barg": ("bar", 1, ("gauge",)),
    "bara": ("bar", 1, ("abs",)),
    "psig": ("psi", 1, ("gauge",)),
    "psia": ("psi", 1, ("abs",)),
    "Nm3": ("cubic", 1, ("0C",)),
    "kNm3": ("kcubic", 1, ("0C",)),
    "Sm3": ("cubic", 1, ("15C",)),
    "scf": ("cf", 1, ("20C",)),  # at 68 °F
    "kscf": ("kcf", 1, ("20C",)),
    "Mscf": ("Mcf", 1, ("20C",)),
    "dscf": ("cf", 1, ("20C", "dry")),
    "wscf": ("cf", 1, ("20C", "wet")),
    "scfh": ("cfh", 1, ("20C",)),
    "scfm": ("cfm", 1, ("20C",)),
} | {f"{mass}{what}": (mass, 1, ()) for mass in ("g", "kg", "t", "kt") for what in ("C", "CO2", "CO2e")}
"""Words that are not the registry's own, or say more than it."""
