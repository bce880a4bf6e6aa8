"""The files under deploy/ and docker-compose.yml hold what they promise."""

import json
import re
import shutil
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from ruamel.yaml import YAML

from contracts import settings
from contracts.metrics import METRICS
from contracts.settings import Settings
from headwater.local import jars

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
LONG_RUNNING = ("kafka", "redis", "worker", "prometheus", "grafana")


def load(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = load(COMPOSE)["services"]
    return found


def lock(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {line.split(" \\")[0]: line for line in text.splitlines() if "==" in line}


def test_the_compose_file_fits_the_schema_of_the_compose_specification() -> None:
    # The command check-jsonschema does not start beside the click that other packages pin.
    spec = find_spec("check_jsonschema")
    assert spec is not None
    folder = Path(str(spec.origin)).parent
    schema = json.loads((folder / "builtin_schemas/vendor/compose-spec.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(load(COMPOSE))


def test_docker_compose_accepts_the_file() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], check=False).returncode:
        pytest.skip("`docker compose` is not installed; the file is checked by its schema alone")
    done = subprocess.run(
        [docker, "compose", "-f", COMPOSE, "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_port_is_published_on_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == len(LONG_RUNNING)
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_no_service_uses_the_network_of_the_host_or_more_rights(services: dict[str, Any]) -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    assert "privileged: true" not in text
    assert {s.get("network_mode") for s in services.values()} <= {None, "none"}


def test_every_image_of_others_has_a_pinned_version(services: dict[str, Any]) -> None:
    images = {service["image"] for service in services.values()}
    assert [image for image in images if not re.search(r":v?\d+\.\d+\.\d+", image)] == []


def test_the_broker_is_the_version_that_runs_without_docker(services: dict[str, Any]) -> None:
    version = jars.ROOTS[0].rpartition(":")[2]
    assert services["kafka"]["image"] == f"apache/kafka:{version}"


def test_what_keeps_running_has_a_health_check_and_comes_back(services: dict[str, Any]) -> None:
    for name in LONG_RUNNING:
        assert services[name]["restart"] == "unless-stopped", name
        in_image = "HEALTHCHECK" in DOCKERFILE.read_text(encoding="utf-8")
        assert "healthcheck" in services[name] or (name == "worker" and in_image), name


def test_a_worker_starts_when_topics_stand_and_redis_answers(services: dict[str, Any]) -> None:
    assert services["worker"]["depends_on"] == {
        "topics": {"condition": "service_completed_successfully"},
        "redis": {"condition": "service_healthy"},
    }
    assert services["topics"]["depends_on"]["kafka"] == {"condition": "service_healthy"}


def test_redis_keeps_what_it_holds(services: dict[str, Any]) -> None:
    command = services["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert "redis:/data" in services["redis"]["volumes"]


def test_every_setting_in_the_compose_file_and_the_image_exists(services: dict[str, Any]) -> None:
    known = {settings.PREFIX + name.upper() for name in settings.TYPES} | {"HEADWATER_CONFIG"}
    given = set(services["worker"]["environment"])
    image = set(re.findall(r"\b(HEADWATER_\w+)=", DOCKERFILE.read_text(encoding="utf-8")))
    assert (given | image) - known == set()


def test_no_secret_is_written_down(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search("KEY|PASSWORD|SECRET|TOKEN", name):
                assert value is None, name


def test_the_image_is_built_from_the_lock_and_does_not_run_as_root() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert text.count("--require-hashes") == 2
    assert re.findall(r"^USER (.*)$", text, re.M) == ["headwater"]
    assert "/healthz" in text


def test_the_image_gets_every_folder_of_the_program() -> None:
    copied = set(re.findall(r"^COPY (\w+) \w+$", DOCKERFILE.read_text(encoding="utf-8"), re.M))
    assert copied == {"headwater", "streams", "serving", "learners", "state", "contracts"}
    allowed = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert [folder for folder in copied if f"!{folder}\n" not in allowed] == []


def test_the_image_has_the_versions_that_were_tested() -> None:
    assert set(lock("requirements-run.lock")) <= set(lock("requirements.lock"))


def test_prometheus_accepts_its_configuration() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; Debian has it in the package prometheus")
    done = subprocess.run(
        [promtool, "check", "config", ROOT / "deploy" / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_alert_asks_for_metrics_that_exist(services: dict[str, Any]) -> None:
    (group,) = load(ROOT / "deploy" / "alerts.yml")["groups"]
    named = {n for rule in group["rules"] for n in re.findall(r"headwater_\w+", rule["expr"])}
    suffix = {"counter": "_total", "gauge": "", "histogram": "_bucket"}
    assert named - {metric.name + suffix[metric.kind] for metric in METRICS} == set()
    assert "./deploy/alerts.yml:/etc/prometheus/alerts.yml:ro" in services["prometheus"]["volumes"]


def test_prometheus_scrapes_the_port_at_which_workers_answer(services: dict[str, Any]) -> None:
    (job,) = load(ROOT / "deploy" / "prometheus.yml")["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert found["port"] == Settings().metrics_port
    assert services["worker"]["ports"][0].endswith(f":{found['port']}")


def test_grafana_finds_its_dashboard_and_its_prometheus(services: dict[str, Any]) -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (source,) = load(provisioning / "datasources" / "prometheus.yml")["datasources"]
    (provider,) = load(provisioning / "dashboards" / "headwater.yml")["providers"]
    text = (ROOT / "deploy/grafana/dashboards/headwater.json").read_text(encoding="utf-8")
    assert set(re.findall(r'"uid": "(headwater-\w+)"', text)) == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"
    assert (
        f"./deploy/grafana/dashboards:{provider['options']['path']}:ro"
        in (services["grafana"]["volumes"])
    )


def test_the_first_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    contents = []
    for _ in range(2):
        subprocess.run([sys.executable, ROOT / "deploy" / "make_key.py", path], check=True)
        contents.append(path.read_text(encoding="utf-8"))
    assert contents[0] == contents[1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = settings.read({"HEADWATER_CONFIG": str(path)})
    assert len(read.snapshot_key) == 64


def test_every_metric_stands_on_the_dashboard() -> None:
    text = (ROOT / "deploy/grafana/dashboards/headwater.json").read_text(encoding="utf-8")
    assert [metric.name for metric in METRICS if metric.name not in text] == []
