"""Units as they are written in plants, and what must not convert."""

import pytest

from ingest.errors import InputError
from ingest.units import amount_unit, conversion, measure


@pytest.mark.parametrize(
    ("given", "declared", "multiplier", "offset"),
    [
        ("kWh", "kWh", 1.0, 0.0),
        ("MWh", "kWh", 1000.0, 0.0),
        ("kWh", "MWh", 0.001, 0.0),
        ("GJ", "kWh", 277.77777777777777, 0.0),
        ("Mvarh", "kvarh", 1000.0, 0.0),
        ("tce", "kgce", 1000.0, 0.0),
        ("t/h", "kg/h", 1000.0, 0.0),
        ("kg/s", "t/h", 3.6, 0.0),
        ("short_ton", "t", 0.90718474, 0.0),
        ("short_ton/h", "t/h", 0.90718474, 0.0),
        ("mmBtu", "GJ", 1.05505585262, 0.0),
        ("K", "°C", 1.0, -273.15),
        ("°C", "K", 1.0, 273.15),
        ("°F", "°C", 0.5555555555555556, -17.77777777777778),
        ("℃", "°C", 1.0, 0.0),
        ("kPa", "Pa", 1000.0, 0.0),
        ("bar(g)", "kPa(g)", 100.0, 0.0),
        ("barg", "kPa(gauge)", 100.0, 0.0),
        ("inH2O", "Pa", 249.08891, 0.0),
        ("ppm", "%", 0.0001, 0.0),
        ("umol/mol", "ppm", 1.0, 0.0),
        ("µmol/mol", "ppm", 1.0, 0.0),
        ("%", "1", 0.01, 0.0),
        ("vol%", "%", 1.0, 0.0),
        ("Nm³/h", "Nm3/h", 1.0, 0.0),
        ("kscf/h", "scfh", 1000.0, 0.0),
        ("kNm3/h", "Nm³/h", 1000.0, 0.0),
        ("scf/min", "scfh", 60.0, 0.0),
        ("mg/Nm3", "g/Nm3", 0.001, 0.0),
        ("m3/h", "L/min", 16.666666666666668, 0.0),
        ("tCO2/h", "kg/h", 1000.0, 0.0),
        ("RMB/t", "CNY/kg", 0.001, 0.0),
    ],
)
def test_conversion(given: str, declared: str, multiplier: float, offset: float) -> None:
    assert conversion(given, declared, ()) == (multiplier, offset)


@pytest.mark.parametrize(
    ("given", "declared", "context"),
    [
        ("m3/h", "Nm3/h", ()),  # 7.3 % between 0 °C and 20 °C
        ("m3/h(20C)", "Nm3/h", ()),
        ("Nm3/h", "m3/h", ()),
        ("scfh", "Nm3/h", ()),
        ("mg/m3(20C)", "mg/m3", ("0C",)),
        ("bar(a)", "bar(g)", ()),
        ("bar", "bar(g)", ()),
        ("bar(g)", "bar", ()),
        ("bar(a)", "kPa", ("gauge",)),
        ("%(wet)", "%", ("dry",)),
        ("% wet", "% dry", ()),
        ("%(dry)", "%", ()),
        ("GJ/t(GCV)", "GJ/t", ("NCV",)),
    ],
)
def test_basis_refuses(given: str, declared: str, context: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"^unit .* is .*; expected one that converts to .*, which is"):
        conversion(given, declared, context)


@pytest.mark.parametrize(
    ("given", "declared"),
    [
        ("kWh", "kW"),
        ("kWh", "kvarh"),  # reactive energy is not energy
        ("kWh", "kgce"),  # needs a factor with its basis
        ("kg", "kgce"),
        ("kVA", "kW"),
        ("CNY", "EUR"),
        ("piece", "1"),
        ("°C/h", "K/h"),
        ("1", "kWh"),
    ],
)
def test_dimension_refuses(given: str, declared: str) -> None:
    with pytest.raises(InputError, match="is of another dimension; expected one that converts to"):
        conversion(given, declared, ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "kWhh",
        "mt",
        "kw",
        "KWH",
        "m4",
        "kWh/",
        "/h",
        "10**9",
        "kJ*10**9",
        "bar(x)",
        "t//h",
        "x" * 1000,
    ],
)
def test_unknown(text: str) -> None:
    with pytest.raises(InputError, match=r"^unit .* is not known; expected"):
        measure(text)


def test_what_the_context_says_holds_for_messages_that_say_nothing() -> None:
    assert conversion("g/m3", "mg/m3", ("0C", "dry")) == (1000.0, 0.0)
    assert conversion("mg/Nm3", "mg/m3", ("0C", "dry")) == (1.0, 0.0)
    assert conversion("ppm", "%", ("dry",)) == (0.0001, 0.0)
    assert conversion("%(dry)", "%", ("dry",)) == (1.0, 0.0)


def test_refusals_are_cached_like_conversions() -> None:
    for _ in range(2):
        with pytest.raises(InputError, match="unit 'nonsense' is not known"):
            conversion("nonsense", "kWh", ())


def test_both_bases_of_an_axis_refuse() -> None:
    with pytest.raises(InputError, match=r"unit 'Nm3\(20C\)' is both 20C and 0C"):
        measure("Nm3(20C)")


@pytest.mark.parametrize(
    ("rate", "amount"),
    [
        ("kW", "kWh"),
        ("MW", "MWh"),
        ("kvar", "kvarh"),
        ("t/h", "t"),
        ("Nm3/h", "Nm3"),
        ("m/s", "m/s*h"),
        ("%", "%*h"),
    ],
)
def test_amount_unit(rate: str, amount: str) -> None:
    assert amount_unit(rate) == amount
    assert measure(amount).same_dimension(measure(rate) * measure("h"))


def test_bases_are_read_from_names() -> None:
    assert measure("dscf").basis == {"20C", "dry"}
    assert measure("Nm3/h").basis == {"0C"}
    assert measure("Sm3").basis == {"15C"}
    assert measure("kPa(abs)").basis == {"abs"}
    assert measure("MJ/kg(LHV)").basis == {"NCV"}
