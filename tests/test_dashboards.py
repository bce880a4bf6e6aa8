"""Every expression of the dashboard is asked of a real Prometheus that scrapes real metrics."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from contracts import metrics
from contracts.settings import Settings
from headwater.local import ports, spawn
from headwater.shop import shop
from headwater.shop_catalogue import catalogue
from streams.kafka import producer, topics
from streams.sources.examples import Example
from streams.telemetry.http import Endpoint, Health
from streams.telemetry.metrics import Telemetry
from tests import children

DASHBOARD = Path(__file__).parent.parent / "deploy/grafana/dashboards/headwater.json"
SUFFIX = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
CONFIG = """
global: {{scrape_interval: 500ms}}
scrape_configs:
  - job_name: headwater
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
LABELS: dict[str, list[dict[str, str]]] = {
    "headwater_events": [
        {"topic": "interactions", "outcome": o} for o in ("learned", "dead_letter")
    ],
    "headwater_dead_letters": [{"reason": "not_json"}],
    "headwater_stage_seconds": [{"stage": s} for s in ("decode", "learn", "render", "publish")],
    "headwater_context_refused": [{"name": "country", "reason": "beyond"}],
    "headwater_lag_events": [{"topic": "interactions", "partition": p} for p in "01"],
    "headwater_lists_published": [{"kind": "rec"}],
    "headwater_quality_ratio": [
        {"measure": measure, "model": model, "list": "fresh", "span": "window"}
        for measure in ("hr_at_10", "mrr_at_20")
        for model in ("lists", "popularity")
    ],
    "headwater_judged_events": [{"list": "fresh"}],
    "headwater_list_age_seconds": [{"quantile": q} for q in ("0.5", "0.99")],
    "headwater_fusion_weight_ratio": [{"generator": "recent", "segment": "all"}],
    "headwater_state_size": [{"kind": k} for k in ("users", "items", "hidden", "pairs")],
    "headwater_followed_lag_events": [{"topic": "interactions", "partition": "0"}],
    "headwater_evictions": [{"kind": "users"}],
    "headwater_snapshot_age_seconds": [{"shard": "interactions.0"}],
    "headwater_snapshots": [{"outcome": "saved"}],
    "headwater_drifts": [{"model": "lists"}],
    "headwater_frozen": [{"model": "lists", "partition": p} for p in "01"],
    "headwater_waiting": [{"service": "redis"}],
    "headwater_predictions": [{"predictor": "click"}],
    "headwater_accuracy_ratio": [{"predictor": "click", "span": "window"}],
    "headwater_group_hit_ratio": [{"grouping": "room", "group": "hall", "bound": "mean"}],
    "headwater_group_share_ratio": [
        {"grouping": "room", "group": "hall", "of": of} for of in ("places", "choices")
    ],
    "headwater_group_popularity_ratio": [{"grouping": "room", "group": "hall"}],
    "headwater_group_short": [{"grouping": "room", "group": "hall", "what": "hits"}],
    "headwater_floor_hit_ratio": [{"list": "given"}],
    "headwater_learner_out": [{"learner": "click", "verb": "learn_one"}],
}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def expressions() -> list[str]:
    panels = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    return panels + [note["expr"] for note in dashboard()["annotations"]["list"]]


def feed(telemetry: Telemetry) -> None:
    """Let every metric of the table move a little."""
    for metric in metrics.METRICS:
        for labels in LABELS.get(metric.name, [{}]):
            if metric.kind == "counter":
                telemetry.count(metric, 3, **labels)
            elif metric.kind == "gauge":
                telemetry.set(metric, 0.25, **labels)
            else:
                telemetry.observe_many(metric, np.array([0.002, 0.004, 0.3]), None, **labels)


PIPELINE = """
[segments]
context = ["country"]
[groups.category]
floors = { tea = 0.1 }
"""


@contextmanager
def prometheus(folder: Path, scraped: int) -> Iterator[str]:
    """Run a real Prometheus that scrapes a port, and give its address."""
    program = shutil.which("prometheus")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("prometheus is not on PATH: .ci/run installs Debian's package")
        pytest.skip("prometheus is not on PATH; Debian has it in the package prometheus")
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(port=scraped), encoding="utf-8")
    port = ports.quiet()
    options = (
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([program, *options], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ask(address: str, expression: str) -> list[float]:
    """Return the values that are numbers; empty while Prometheus does not answer yet."""
    query = urllib.parse.urlencode({"query": expression.replace("$__rate_interval", "5s")})
    try:
        with urllib.request.urlopen(f"{address}/api/v1/query?{query}", timeout=5) as answer:  # noqa: S310
            found = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 503:  # it is still starting
                return []
            pytest.fail(f"{expression}: {error.read().decode()}")
    except OSError:
        return []
    values = [float(series["value"][1]) for series in found]
    return [value for value in values if math.isfinite(value)]


def test_every_expression_of_the_dashboard_gives_data(tmp_path: Path) -> None:
    telemetry = Telemetry(CollectorRegistry())
    endpoint = Endpoint(telemetry.registry, Health(), "127.0.0.1", 0)
    missing, deadline = expressions(), time.monotonic() + 60.0
    with endpoint, prometheus(tmp_path, endpoint.port) as address:
        while missing and time.monotonic() < deadline:
            feed(telemetry)
            time.sleep(0.5)
            missing = [expression for expression in missing if not ask(address, expression)]
    assert missing == [], (tmp_path / "prometheus.log").read_text(encoding="utf-8")[-2000:]


def test_a_running_worker_gives_data_to_every_expression(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.toml").write_text(PIPELINE, encoding="utf-8")
    named = msgspec.structs.replace(
        settings,
        predictors={"elec": "learners.examples:elec"},
        pipeline=str(tmp_path / "pipeline.toml"),
    )
    topics.ensure(named)
    producer.items(catalogue(1), named, lambda _: None)
    # That there was a drift in the last seconds is no matter of course: that it is counted is.
    wanted = [expression.removesuffix(" > 0") for expression in expressions()]
    missing, deadline = wanted, time.monotonic() + 120.0
    events = (row | {"context": {"country": []}} for row in shop(1))  # no segment
    with worker(named, tmp_path) as url, prometheus(tmp_path, int(url.split(":")[2])) as address:
        while missing and time.monotonic() < deadline:
            producer.interactions(islice(events, 200), named, lambda _: None)
            producer.examples(examples(20), named, lambda _: None)
            time.sleep(0.5)
            missing = [expression for expression in missing if not ask(address, expression)]
    assert missing == [], (tmp_path / "worker.log").read_text(encoding="utf-8")[-4000:]


@contextmanager
def worker(settings: Settings, folder: Path) -> Iterator[str]:
    """Run a real worker and give the address of its metrics."""
    log = folder / "worker.log"
    command = [sys.executable, "-m", "headwater", "worker"]
    with spawn(command, log, dict(os.environ) | children.environ(settings)) as child:
        deadline = time.monotonic() + 60.0
        while not (said := re.search(r"(http://[0-9.:]+)/metrics", log.read_text("utf-8"))):
            assert child.alive, log.read_text("utf-8")
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.1)
        yield said[1]


def examples(n: int) -> Iterator[Example]:
    """Yield features with their labels: right when x is positive."""
    for number in range(n):
        body = {"predictor": "elec", "id": uuid.uuid4().hex, "ts": time.time()}
        x = number % 5 - 2.0
        yield Example({**body, "x": {"x": x}}, {**body, "y": x > 0})


def test_every_metric_named_on_the_dashboard_exists() -> None:
    exposed = {m.name + suffix for m in metrics.METRICS for suffix in SUFFIX[m.kind]}
    named = {name for text in expressions() for name in re.findall(r"headwater_\w+", text)}
    assert named - exposed == set()


def test_every_panel_says_what_it_shows_and_in_which_unit() -> None:
    for panel in dashboard()["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert "{{" in panel["targets"][0]["legendFormat"] or panel["targets"][0]["legendFormat"]


def test_no_two_panels_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in dashboard()["panels"]):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells
