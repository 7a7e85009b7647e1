"""What is handed to container, compose, Kubernetes and systemd: what has to hold of each, and their own tools' word."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from deploy.cli import app
from deploy.process import ROOT
from deploy.runtime_lock import runtime
from deploy.secret_files import NAMES

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
KUBERNETES: list[dict[str, Any]] = [
    manifest
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8"))
]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
FILES = sorted(
    file
    for folder in ("compose", "container", "kubernetes", "systemd", "prometheus")
    for file in (DEPLOY / folder).rglob("*")
    if file.is_file() and "secrets" not in file.parts and file.suffix != ".pyc"
)
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY", re.IGNORECASE)


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in KUBERNETES if manifest["kind"] == kind]


def by_component(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {manifest["metadata"]["name"].removeprefix("stackwatt-"): manifest for manifest in manifests}


# -- variables ---------------------------------------------------------------------------------------------------------


def variables_read() -> set[str]:
    """Of every option of every command, and those that may be files."""

    def of(command: Any) -> Iterator[str]:
        for parameter in command.params:
            names = parameter.envvar or ()
            yield from [names] if isinstance(names, str) else names
        for one in getattr(command, "commands", {}).values():
            yield from of(one)

    return set(of(typer.main.get_command(app))) | set(NAMES) | {f"{name}_FILE" for name in NAMES}


def test_the_example_names_every_variable_that_is_read_and_no_other() -> None:
    text = (DEPLOY / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^#?(STACKWATT_[A-Z_]+)=", text, re.MULTILINE)
    assert sorted(named) == sorted(variables_read())


def test_no_variable_is_read_that_no_option_names() -> None:
    packages = ("kernels", "ingest", "service", "simulator", "dashboards", "deploy")
    in_code = {
        name
        for package in packages
        for file in (ROOT / package).rglob("*.py")
        for name in re.findall(r"\"(STACKWATT_[A-Z_]+)\"", file.read_text(encoding="utf-8"))
    }
    assert in_code - variables_read() == set()


def test_files_set_only_variables_that_are_read() -> None:
    used = {
        name for file in FILES for name in re.findall(r"(?<!GF_)STACKWATT_[A-Z_]+", file.read_text("utf-8"))
    }
    assert used - variables_read() == set()


# -- container ---------------------------------------------------------------------------------------------------------


def test_the_image_runs_without_rights_and_of_pinned_packages() -> None:
    lines = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8").splitlines()
    assert "USER 10001:10001" in lines
    assert not [line for line in lines if line.startswith("USER") and "10001" not in line]
    assert any("--no-deps --require-hashes --requirement runtime.lock" in line for line in lines)
    assert not [line for line in lines if re.search(r"--(extra-)?index-url|https?://", line)]
    copied = {
        source.removeprefix("./")
        for line in lines
        if line.startswith("COPY") and "--from" not in line
        for source in line.split()[1:-1]
    }
    ignored = (DEPLOY / "container" / "Containerfile.dockerignore").read_text(encoding="utf-8").split("\n")
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert {source.partition("/")[0] for source in copied} == let_in
    assert ignored.index("deploy/compose/secrets") > ignored.index("!deploy")
    assert all((ROOT / source).exists() for source in copied)


def test_the_images_packages_are_what_we_depend_on_and_no_tools() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9-]+)==", runtime(lock), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ours = {re.split(r"[\[<>=]", one)[0] for one in project["project"]["dependencies"]}
    tools = {re.split(r"[\[<>=]", one)[0] for one in project["dependency-groups"]["dev"]}
    assert ours <= set(pins)
    assert set(pins) & tools <= {"websockets"}, "amqtt needs it too"
    assert all(
        block.count("--hash=sha256:")
        for block in re.split(r"^(?=[a-z])", runtime(lock), flags=re.MULTILINE)[1:]
    )
    with pytest.raises(ValueError, match="expected a lock with its comments"):
        runtime(re.sub(r"^ +#.*\n", "", lock, flags=re.MULTILINE))


# -- compose -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_of_compose_is_contained(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert "privileged" not in service
    assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys()
    mounted = {volume.split(":")[0] for volume in service.get("volumes", ()) if not volume.startswith(".")}
    assert mounted <= COMPOSE["volumes"].keys()
    paths = [volume.split(":")[0] for volume in service.get("volumes", ()) if volume.startswith(".")]
    assert all((DEPLOY / "compose" / path).exists() for path in paths)
    assert all(volume.endswith(":ro") for volume in service.get("volumes", ()) if volume.startswith("."))


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_compose(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(variable):
            assert value.startswith("/run/secrets/"), variable
            assert value.removeprefix("/run/secrets/") in SERVICES[name]["secrets"]
        assert not re.search(r"password=|://[^@/]*:[^@/]*@", value), variable


def test_only_the_broker_is_open_to_the_network() -> None:
    opened = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert {name for name, ports in opened.items() if not all(p.startswith("127.0.0.1:") for p in ports)} == {
        "broker"
    }
    assert "outside" not in SERVICES["database"]["networks"]


def test_every_secret_of_compose_is_made_by_prepare() -> None:
    script = (DEPLOY / "compose" / "prepare.sh").read_text(encoding="utf-8")
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
        assert re.search(rf"\b{re.escape(name)}\b", script), name


def test_grafana_is_given_the_data_sources_of_the_boards() -> None:
    grafana = DEPLOY / "compose" / "grafana"
    sources = yaml.safe_load((grafana / "datasources" / "stackwatt.yaml").read_text(encoding="utf-8"))
    given = {(source["uid"], source["type"]) for source in sources["datasources"]}
    boards = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "dashboards" / "json").glob("*"))
    asked = set(
        re.findall(r'"type": "(?:grafana-postgresql-datasource|prometheus)",\s*"uid": "([^"]+)"', boards)
    )
    assert asked
    assert asked <= {uid for uid, _ in given}
    assert {kind for _, kind in given} == {"grafana-postgresql-datasource", "prometheus"}
    assert sources["datasources"][0]["secureJsonData"] == {"password": "$GF_STACKWATT_DB_PASSWORD"}
    assert "GF_STACKWATT_DB_PASSWORD__FILE" in SERVICES["grafana"]["environment"]
    [provider] = yaml.safe_load((grafana / "dashboards" / "stackwatt.yaml").read_text("utf-8"))["providers"]
    assert f"../../dashboards/json:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]


def test_prometheus_asks_where_the_processes_listen() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text(encoding="utf-8"))
    targets = {job["static_configs"][0]["targets"][0] for job in config["scrape_configs"]}
    assert targets == {"ingest:8081", "serve:8080"}
    assert all(target.split(":")[0] in SERVICES for target in targets)


# -- Kubernetes --------------------------------------------------------------------------------------------------------


def test_every_process_has_a_deployment() -> None:
    assert set(by_component(of_kind("Deployment"))) == {"ingest", "serve", "notify"}


def pods() -> dict[str, dict[str, Any]]:
    """The pod of each process, by its name."""
    deployed = {
        name: one["spec"]["template"]["spec"] for name, one in by_component(of_kind("Deployment")).items()
    }
    timed = {
        name: one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for name, one in by_component(of_kind("CronJob")).items()
    }
    return deployed | timed


@pytest.mark.parametrize("name", ["ingest", "serve", "notify", "backup"])
def test_every_pod_is_contained_and_its_secrets_are_references(name: str) -> None:
    pod = pods()[name]
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["args"] == [name] or f"-m deploy {name} " in container["args"][0]
    assert {"requests", "limits"} == container["resources"].keys()
    for variable in container.get("env", ()):
        if SECRET.search(variable["name"]):
            assert variable["value"].startswith("/run/secrets/stackwatt/"), variable
    [secret] = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
    assert secret["defaultMode"] == 0o440
    items = {item["path"] for item in secret["items"]}
    named = re.findall(r"/run/secrets/stackwatt/([a-z_.]+)", str((container, of_kind("ConfigMap"))))
    assert set(named) == items


def test_who_listens_is_probed() -> None:
    for name, port in (("ingest", "health"), ("serve", "http")):
        [container] = by_component(of_kind("Deployment"))[name]["spec"]["template"]["spec"]["containers"]
        probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert probes == {
            "startup": {"path": "/healthz", "port": port},
            "liveness": {"path": "/healthz", "port": port},
            "readiness": {"path": "/readyz", "port": port},
        }
        assert [one["name"] for one in container["ports"]] == [port]


def test_what_may_be_several_stays_when_nodes_go_and_ingest_is_one() -> None:
    deployments, budgets = by_component(of_kind("Deployment")), by_component(of_kind("PodDisruptionBudget"))
    assert deployments["ingest"]["spec"]["replicas"] == 1
    assert deployments["ingest"]["spec"]["strategy"] == {"type": "Recreate"}
    several = {name for name, one in deployments.items() if one["spec"]["replicas"] > 1}
    assert several == budgets.keys()
    for name, budget in budgets.items():
        assert budget["spec"]["minAvailable"] < deployments[name]["spec"]["replicas"]
        assert budget["spec"]["selector"] == deployments[name]["spec"]["selector"]


def test_every_manifest_is_in_the_kustomization() -> None:
    [kustomization] = of_kind("Kustomization")
    files = {file.name for file in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files


def test_kubectl_builds_them() -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("needs kubectl on PATH")
    built = subprocess.run(
        [kubectl, "kustomize", str(DEPLOY / "kubernetes")], capture_output=True, text=True, check=True
    ).stdout
    kinds = sorted(one["kind"] for one in yaml.safe_load_all(built))
    assert kinds == sorted(one["kind"] for one in KUBERNETES if one["kind"] != "Kustomization")


# -- systemd -----------------------------------------------------------------------------------------------------------


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze on PATH")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("unit", UNITS, ids=[unit.stem for unit in UNITS])
def test_systemd_takes_the_unit_and_finds_it_closed(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert text.count("/opt/stackwatt/.venv/bin/python ") == 1
    here = tmp_path / unit.name
    here.write_text(text.replace("/opt/stackwatt/.venv/bin/python ", f"{sys.executable} "))
    verified = systemd_analyze("verify", "--man=no", str(here))
    assert (verified.returncode, verified.stderr) == (0, "")
    timer = unit.with_suffix(".timer")
    if timer.exists():
        shutil.copy(timer, tmp_path)
        verified = systemd_analyze("verify", "--man=no", str(tmp_path / timer.name))
        assert (verified.returncode, verified.stderr) == (0, "")
    judged = systemd_analyze("security", "--offline=yes", "--threshold=20", str(here))
    assert judged.returncode == 0, judged.stdout.splitlines()[-1]


def test_units_run_the_processes_and_take_secrets_from_files() -> None:
    commands = {
        re.findall(r"^ExecStart=.* -m deploy (\w+)", unit.read_text("utf-8"), re.MULTILINE)[0]
        for unit in UNITS
    }
    assert commands == {"ingest", "serve", "notify", "backup"}
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        assert "EnvironmentFile=/etc/stackwatt/stackwatt.env" in text
        assert not re.search(r"^Environment=.*(PASSWORD|DSN|_KEY)", text, re.MULTILINE)


# -- all of them -------------------------------------------------------------------------------------------------------


def test_images_are_named_without_a_registry() -> None:
    named = [service["image"] for service in SERVICES.values()]
    named += [container["image"] for pod in pods().values() for container in pod["containers"]]
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    named += re.findall(r"^ARG PYTHON=(.+)$", text, re.MULTILINE)
    for image in named:
        first, slash, _ = image.partition("/")
        assert not slash or not re.search(r"[.:]|localhost", first), image
        assert re.search(r":[\w.-]+$", image), image
        assert not image.endswith(":latest")
