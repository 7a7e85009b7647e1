"""The console command as a process: exit codes, sentences, and the commands on a database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
STEEL = ROOT / "simulator" / "plants" / "steel.yaml"
MAPPING = ROOT / "simulator" / "data" / "steel.mapping.yaml"
CEMENT = ROOT / "simulator" / "plants" / "cement.yaml"


def stackwatt(*arguments: str, dsn: str | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STACKWATT_")}
    environment["PYTHONPATH"] = str(ROOT)
    if dsn is not None:
        environment["STACKWATT_DSN"] = dsn
    return subprocess.run(
        [sys.executable, "-P", "-m", "deploy", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def said(*arguments: str, dsn: str | None = None) -> str:
    result = stackwatt(*arguments, dsn=dsn)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_help_names_every_command_and_loads_no_process() -> None:
    text = said("--help")
    names = "demo up check test bench fuzz ingest serve simulate import plant rejected migrate keys declare replay"
    names += " conformance notify"
    assert [name for name in names.split() if f"\n  {name} " not in text] == []
    code = "import sys, deploy.cli; sys.exit(bool({'numba', 'fastapi', 'numpy', 'pint'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_word_stackwatt_in_front_is_the_console_command() -> None:
    assert said("stackwatt", "plant", "check", str(CEMENT)) == said("plant", "check", str(CEMENT))


def test_wrong_plant_file_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("site: mill\nname: Mill\ntime_zone: Nowhere/Here\n")
    for arguments in (
        ["plant", "check", str(wrong)],
        ["up", "--state", str(tmp_path / "s"), "--plant", str(wrong)],
    ):
        result = stackwatt(*arguments)
        assert result.returncode == 2
        assert result.stdout == ""
        assert result.stderr.startswith("wrong.yaml: time_zone")
        assert result.stderr.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_without_a_database_the_sentence_says_where_one_would_be_found(tmp_path: Path) -> None:
    result = stackwatt("migrate", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("no database: give one by --dsn or STACKWATT_DSN")


def test_database_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    result = stackwatt("keys", "list", dsn=f"host={tmp_path} dbname=x")
    assert result.returncode == 1
    assert result.stderr.startswith("the database cannot be reached: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [("keys", "list"), ("migrate",), ("serve",), ("up",)])
def test_what_is_no_connection_string_is_one_sentence_without_its_password(command: tuple[str, ...]) -> None:
    result = stackwatt(*command, dsn="postgresql password=secret")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "connection string" in result.stderr
    assert "secret" not in result.stderr


def test_migrate_takes_each_step_once(empty_dsn: str) -> None:
    refused = stackwatt("keys", "list", dsn=empty_dsn)
    assert (refused.returncode, refused.stderr) == (
        1,
        "the database has no schema yet: run `stackwatt migrate`\n",
    )
    assert said("migrate", dsn=empty_dsn).startswith("0001_facts\n")
    assert said("migrate", dsn=empty_dsn) == "up to date\n"


def test_plant_is_applied_once_and_compared(dsn: str, tmp_path: Path) -> None:
    assert "no version is applied yet" in said("plant", "diff", str(CEMENT), dsn=dsn)
    assert said("plant", "apply", str(CEMENT), dsn=dsn) == "cement: version 1 applied\n"
    assert said("plant", "apply", str(CEMENT), dsn=dsn) == "cement: version 1 is the same: nothing to do\n"
    assert said("plant", "diff", str(CEMENT), dsn=dsn) == "cement: nothing changes against version 1\n"
    changed = tmp_path / "cement.yaml"
    changed.write_text(
        CEMENT.read_text(encoding="utf-8").replace("lateness: 5s", "lateness: 9s"), encoding="utf-8"
    )
    assert said("plant", "diff", str(changed), dsn=dsn).startswith("~ lateness: 5s → 9s")
    assert said("plant", "apply", str(changed), dsn=dsn) == "cement: version 2 applied\n"


def test_key_is_shown_once_listed_without_itself_and_revoked(dsn: str) -> None:
    key = said("keys", "create", "auditor", "--scope", "read", dsn=dsn).strip()
    listed = said("keys", "list", dsn=dsn)
    assert key not in listed
    assert listed.startswith("auditor  read  all sites  created ")
    successor = said("keys", "rotate", "auditor", "--overlap", "1h", "--valid-for", "90d", dsn=dsn).strip()
    assert successor != key
    assert [line.count("  expires ") for line in said("keys", "list", dsn=dsn).splitlines()] == [1, 1]
    assert stackwatt("keys", "rotate", "auditor", "--overlap", "soon", dsn=dsn).returncode == 2
    assert said("keys", "revoke", "auditor", dsn=dsn) == "auditor is revoked\n"
    assert "revoked" in said("keys", "list", dsn=dsn)
    assert stackwatt("keys", "revoke", "auditor", dsn=dsn).returncode == 2


def test_history_is_imported_once(dsn: str, tmp_path: Path) -> None:
    said("plant", "apply", str(STEEL), dsn=dsn)
    whole = (ROOT / "simulator" / "data" / "steel_week.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "day.csv").write_text("\n".join(whole[:97]) + "\n", encoding="utf-8")
    arguments = ["import", str(tmp_path / "day.csv"), "--mapping", str(MAPPING)]
    assert said(*arguments, dsn=dsn) == "day.csv: 96 rows stored, 1 messages that were not there before\n"
    assert said(*arguments, dsn=dsn) == "day.csv: 96 rows stored, 0 messages that were not there before\n"
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM reading").fetchone() == (3 * 96,)


@pytest.fixture
def refused(dsn: str) -> str:
    """A database with one refused message."""
    with psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO site (id) VALUES ('mill')")
        connection.execute(
            """
            INSERT INTO rejected (site_no, topic, payload, element, reason, detail, received_at, batch_no)
            SELECT site_no, 'plant/mill/x', '{"value": 1}', NULL, 'unknown_point', 'x is no point', now(), 1
              FROM site
            """
        )
    return dsn


def test_refused_message_is_listed_and_queued_again_once(refused: str) -> None:
    assert "unknown_point  plant/mill/x: x is no point" in said("rejected", "list", dsn=refused)
    assert said("rejected", "list", "--reason", "other", dsn=refused) == ""
    assert said("rejected", "replay", dsn=refused) == "1 messages queued\n"
    assert "(replayed " in said("rejected", "list", dsn=refused)
    assert said("rejected", "replay", dsn=refused) == "0 messages queued\n"
    with psycopg.connect(refused) as connection:
        (body,) = connection.execute("SELECT body::json ->> 'topic' FROM inbox").fetchone() or ("",)
    assert body == "plant/mill/x"


def test_conformance_names_what_fails_and_what_is_not_here(tmp_path: Path) -> None:
    good = {"id": "A", "op": "hj212.wet_to_dry", "inputs": {"wet": 9, "moisture_fraction": 0.1}, "tol": 1e-9}
    file = tmp_path / "examples.json"
    file.write_text(json.dumps([good | {"expected": {"dry": 10}}]))
    assert said("conformance", str(file)).splitlines() == [
        "A  hj212.wet_to_dry  pass",
        "1 passed, 0 failed, of 1",
    ]
    file.write_text(
        json.dumps([good | {"expected": {"dry": 10}}, good | {"op": "later", "expected": {"x": 1}}])
    )
    unknown = stackwatt("conformance", str(file))
    assert unknown.returncode == 1
    assert unknown.stdout.splitlines() == [
        "A  hj212.wet_to_dry  pass",
        "A  later  FAIL  op is 'later'; expected one that --list names",
        "1 passed, 1 failed, of 2",
    ]
    file.write_text(json.dumps([good | {"expected": {"dry": 11}}]))
    wrong = stackwatt("conformance", str(file), "--json")
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["failed"] == 1
    listed = said("conformance", "--list")
    assert (
        "\nhj212.wet_to_dry\n    wet: a number\n    moisture_fraction: a number, at least 0, below 1\n"
        in listed
    )
    neither = stackwatt("conformance")
    assert neither.returncode == 2
    assert neither.stderr == "no file is given; expected a JSON file of worked examples, or --list\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--private", "10.0.0.1/8"],
            "private network: 10.0.0.1/8 has host bits set; expected such as 10.1.0.0/16 or 127.0.0.1/32",
        ),
        (
            ["--ca-file", "/no/such/file"],
            "/no/such/file is no file of certificates: [Errno 2] No such file or directory",
        ),
    ],
)
def test_notify_refuses_settings_in_a_sentence(dsn: str, arguments: list[str], sentence: str) -> None:
    result = stackwatt("notify", *arguments, dsn=dsn)
    assert (result.returncode, result.stderr.strip()) == (2, sentence)
