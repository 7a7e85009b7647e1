"""Every way a plant file can be wrong, each with the sentence a person reads."""

from pathlib import Path

import pytest

from ingest.errors import PlantError
from ingest.plant import compile_plan, load_plant

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


def test_there_are_bad_files() -> None:
    assert len(BAD) >= 70


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_sentence(path: Path) -> None:
    expected = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    with pytest.raises(PlantError) as caught:
        compile_plan(load_plant(path))
    assert str(caught.value) == f"{path.name}: {expected}"


def test_sentence_is_one_line_and_names_the_expectation() -> None:
    for path in BAD:
        sentence = path.read_text(encoding="utf-8").partition("\n")[0]
        assert "expected " in sentence, path.name


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "absent.yaml"
    with pytest.raises(PlantError, match=r"absent\.yaml: cannot be read: No such file"):
        load_plant(path)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"site: m\xfchle\n")
    with pytest.raises(PlantError, match=r"latin\.yaml: byte 7 is not UTF-8"):
        load_plant(path)
