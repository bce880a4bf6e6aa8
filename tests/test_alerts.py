"""Each alert fires on what it is for, and on nothing else, and has its place in the runbook."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
ALERTS = ROOT / "deploy" / "alerts.yml"
RUNBOOK = ROOT / "docs" / "runbook.md"
LEARNED = 'headwater_events_total{topic="interactions", outcome="learned", instance="a"}'
QUALITY = 'headwater_quality_ratio{measure="hr_at_10", list="fresh", span="window", model="%s"}'
FRESHNESS = 'headwater_freshness_seconds_bucket{le="%s"}'
# A value each minute: all is well, ten events are learned per second.
WELL = {'up{job="headwater", instance="a"}': "1x200", LEARNED: "0+600x200"}
ILL = {
    "HeadwaterDown": {'up{job="headwater", instance="a"}': "0x200"},
    "HeadwaterRestarting": {LEARNED: " ".join(["0+600x9"] * 20)},
    "HeadwaterWaiting": {'headwater_waiting{service="redis"}': "1x200"},
    "HeadwaterLag": {'headwater_lag_events{partition="0"}': "601x200"},
    "HeadwaterFollowedLag": {'headwater_followed_lag_events{instance="a"}': "601x200"},
    "HeadwaterStale": {
        FRESHNESS % "1": "0x200",
        FRESHNESS % "2.5": "0+9x200",
        FRESHNESS % "+Inf": "0+9x200",
    },
    "HeadwaterSnapshotsOld": {'headwater_snapshot_age_seconds{shard="0"}': "121x200"},
    "HeadwaterSnapshotsRefused": {'headwater_snapshots_total{outcome="refused"}': "1x200"},
    "HeadwaterSnapshotsFenced": {'headwater_snapshots_total{outcome="fenced"}': "0+1x200"},
    "HeadwaterLearnerOut": {'headwater_learner_out{learner="elec", verb="learn_one"}': "1x200"},
    "HeadwaterDeadLetters": {'headwater_dead_letters_total{reason="not_json"}': "0+20x200"},
    "HeadwaterRekeyed": {LEARNED.replace("learned", "rekeyed"): "0+700x200"},
    "HeadwaterDuplicates": {LEARNED.replace("learned", "duplicate"): "0+700x200"},
    "HeadwaterEvictions": {
        'headwater_evictions_total{kind="users"}': "0+2x200",
        'headwater_state_size{kind="users"}': "1000x200",
    },
    "HeadwaterQuality": {QUALITY % "lists": ".2x200", QUALITY % "popularity": ".2x200"},
    "HeadwaterFrozen": {'headwater_frozen{model="lists", partition="0"}': "1x200"},
    "HeadwaterGroupShort": {
        'headwater_group_short{grouping="maker", group="small", what="places"}': "1x200"
    },
}


def rules() -> dict[str, Any]:
    loaded = YAML(typ="safe", pure=True).load(ALERTS.read_text(encoding="utf-8"))
    (group,) = loaded["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_every_alert_has_a_heading_of_the_runbook_and_links_to_it() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    assert re.findall(r"^### (Headwater\w+)$", text, re.M) == list(rules())
    for name, rule in rules().items():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_alert_fires_on_what_it_is_for_and_on_nothing_else(tmp_path: Path) -> None:
    assert list(ILL) == list(rules())
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; Debian has it in the package prometheus")
    cases = [case(""), *(case(alert) for alert in ILL)]
    tests = tmp_path / "tests.yml"  # JSON is YAML
    about = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": cases}
    tests.write_text(json.dumps(about), encoding="utf-8")
    command = [promtool, "test", "rules", str(tests)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def case(alert: str) -> dict[str, Any]:
    """Return a case of promtool's: after three hours this alert fires, and no other."""
    series = WELL | ILL.get(alert, {})
    firing = [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if alert else []
    expression = 'count by (alertname) (ALERTS{alertstate="firing"})'
    return {
        "name": alert or "all is well",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": "3h", "exp_samples": firing}],
    }
