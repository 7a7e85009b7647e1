"""A look-up gives exactly one row, or one sentence that says what is nearest."""

from datetime import date

import pytest

from ingest.errors import InputError
from ingest.factors import Key, find, required
from ingest.factors.rows import read

TABLE = """\
kind,subject,geography,equipment,edition,data_year,published,value,unit,basis,reference,gwp,valid_from,valid_to,source,trust,note
oxidation,coal,CN,,e1,,,90,%,,,,,,a book,P,
oxidation,coal,CN,kiln,e1,,,99,%,,,,,,a book,P,
oxidation,oil,CN,,e1,,,98,%,,,,,,a book,P,
price,coal,CN,,e1,,,5,kg/t,,,,,2024-01-01,a book,P,
price,coal,CN,,e1,,,6,kg/t,,,,2024-01-01,,a book,P,
grid,co2_average,CN-XZ,,,2023,,,t/MWh,,,,,,a book,P,no value for this region
"""
ROWS = read([("t.csv", TABLE)])


def test_the_equipment_s_own_row_goes_before_the_general_one() -> None:
    assert required(find(Key("oxidation", "coal", equipment="kiln"), ROWS)) == 99
    assert required(find(Key("oxidation", "coal", equipment="boiler"), ROWS)) == 90
    assert required(find(Key("oxidation", "oil", equipment="kiln"), ROWS)) == 98


def test_equipment_that_is_not_named_is_not_guessed() -> None:
    with pytest.raises(InputError, match="has 2 rows for oxidation of coal"):
        find(Key("oxidation", "coal"), ROWS)


def test_a_row_holds_until_the_day_it_holds_no_more() -> None:
    assert required(find(Key("price", "coal", at=date(2023, 12, 31)), ROWS)) == 5
    assert required(find(Key("price", "coal", at=date(2024, 1, 1)), ROWS)) == 6


def test_no_value_is_an_answer_and_no_number() -> None:
    row = find(Key("grid", "co2_average", geography="CN-XZ"), ROWS)
    assert row.value.number is None
    with pytest.raises(InputError, match="no value for this region"):
        required(row)


def test_a_range_is_no_number() -> None:
    with pytest.raises(InputError, match=r"0\.1 to 0\.3 %"):
        required(find(Key("raw_meal_organic_carbon", "raw_meal")))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (
            Key("grid", "co2_average", geography="CN", data_year=2025),
            "(geography CN, data year 2025); expected one such as that of geography CN, data year 2023",
        ),
        (Key("grid", "co2_avarage"), "expected grid of one of co2_average"),
        (Key("grit", "co2_average"), "expected one of the kinds grid"),
        (Key("ncv", "coke"), "has 3 rows for ncv of coke: that of geography CN, edition cn-24-sector;"),
    ],
)
def test_what_does_not_match_fails_in_a_sentence(key: Key, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        find(key)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
