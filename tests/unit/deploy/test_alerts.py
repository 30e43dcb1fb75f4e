"""Prometheus's own tool over the alerting rules: each fires on its bad day, and none on a good one."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from tests.support.engines import absent
from tests.unit.deploy.test_monitoring import RULES, alerts, exported

# What makes each alert fire: series in promtool's notation, one sample a minute ("0+1x60": one more each minute).
BAD_DAYS: dict[str, dict[str, str]] = {
    "CardDataOverdue": {'wayvault_card_data_overdue{kind="card"}': "2x90"},
    "RetentionUnknown": {"some_other_series": "1x90"},
    "ProcessDown": {'up{job="wayvault-crm",instance="crm:8111"}': "0x90"},
    "VaultCallsFail": {
        'wayvault_rpc_seconds_count{method="/a/B",code="OK"}': "0+60x90",
        'wayvault_rpc_seconds_count{method="/a/B",code="INTERNAL"}': "0+6x90",
    },
    "PagesFail": {
        'wayvault_http_request_seconds_count{service="crm",route="/",method="GET",status="200"}': "0+60x90",
        'wayvault_http_request_seconds_count{service="crm",route="/",method="GET",status="503"}': "0+6x90",
    },
    "PagesSlow": {
        'wayvault_http_request_seconds_bucket{service="crm",le="2.5"}': "0+1x90",
        'wayvault_http_request_seconds_bucket{service="crm",le="5"}': "0+60x90",
        'wayvault_http_request_seconds_bucket{service="crm",le="+Inf"}': "0+60x90",
    },
    "ChargesUnknown": {"wayvault_charge_unknown_seconds": "0+60x90"},
    "GatewayFails": {
        'wayvault_gateway_seconds_count{gateway="stripe",call="charge",outcome="succeeded"}': "0+6x90",
        'wayvault_gateway_seconds_count{gateway="stripe",call="charge",outcome="unknown"}': "0+3x90",
    },
    "PhoneActsLost": {"wayvault_phone_acts_lost_total": "0+1x90"},
    "OutboxStuck": {'wayvault_outbox_lag_seconds{service="portal"}': "300x90"},
    "QueueGrows": {'wayvault_queue_depth{service="crm"}': "6000x90"},
    "DeadLetters": {'wayvault_dead_letters{service="crm"}': "1x90"},
    "EventsUnroutable": {'wayvault_events_unroutable_total{service="crm"}': "0+1x90"},
    "MailWaits": {"wayvault_delivery_waiting_seconds": "400x90"},
    "MailRefused": {'wayvault_deliveries{state="failed"}': "0+1x90"},
    "CertificateEndsSoon": {'wayvault_certificate_days_left{file="vault.pem"}': "20x90"},
    "CertificateExpired": {'wayvault_certificate_days_left{file="vault.pem"}': "0x90"},
}
GOOD_DAY: dict[str, str] = {
    'wayvault_card_data_overdue{kind="card"}': "0x90",
    'up{job="wayvault-crm",instance="crm:8111"}': "1x90",
    'wayvault_rpc_seconds_count{method="/a/B",code="OK"}': "0+600x90",
    'wayvault_rpc_seconds_count{method="/a/B",code="CODE_WRONG"}': "0+300x90",
    'wayvault_http_request_seconds_count{service="crm",route="/",method="GET",status="200"}': "0+600x90",
    'wayvault_http_request_seconds_bucket{service="crm",le="0.1"}': "0+600x90",
    'wayvault_http_request_seconds_bucket{service="crm",le="+Inf"}': "0+600x90",
    "wayvault_charge_unknown_seconds": "50x90",
    'wayvault_gateway_seconds_count{gateway="stripe",call="charge",outcome="succeeded"}': "0+60x90",
    'wayvault_gateway_seconds_count{gateway="stripe",call="charge",outcome="declined"}': "0+60x90",
    'wayvault_gateway_seconds_count{gateway="stripe",call="charge",outcome="unknown"}': "0+1x90",
    "wayvault_phone_acts_lost_total": "0x90",
    'wayvault_outbox_lag_seconds{service="portal"}': "1x90",
    'wayvault_queue_depth{service="crm"}': "40x90",
    'wayvault_dead_letters{service="crm"}': "0x90",
    'wayvault_events_unroutable_total{service="crm"}': "3x90",
    "wayvault_delivery_waiting_seconds": "2x90",
    'wayvault_deliveries{state="failed"}': "7x90",
    'wayvault_certificate_days_left{file="vault.pem"}': "300x90",
}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    return found or absent("promtool (Debian's package prometheus) is not installed.")


def day(series: dict[str, str], expected: str, value: int | None) -> dict[str, Any]:
    """One case of promtool: after an hour and a quarter, how many alerts fire."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": expected,
                "eval_time": "75m",
                "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
            }
        ],
    }


@pytest.mark.parametrize("name", ["prometheus.yaml", "prometheus-kubernetes.yaml"])
def test_prometheus_reads_each_configuration_and_its_rules(promtool: str, name: str, tmp_path: Path) -> None:
    config = yaml.safe_load((RULES.parent / name).read_text("utf-8"))
    (job,) = config["scrape_configs"]
    # What the rule of processes that are down looks for.
    assert job["job_name"] == "wayvault"
    # Debian builds Prometheus without what asks a cluster.
    if job.pop("kubernetes_sd_configs", None):
        job["static_configs"] = [{"targets": ["pod:9464"]}]
    (tmp_path / "rules.yaml").write_bytes(RULES.read_bytes())
    (tmp_path / name).write_text(yaml.safe_dump(config), "utf-8")
    command = [promtool, "check", "config", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_on_its_bad_day_and_none_on_a_good_one(promtool: str, tmp_path: Path) -> None:
    assert BAD_DAYS.keys() == {alert["alert"] for alert in alerts()}
    cases = [
        day(series, f'count(ALERTS{{alertname="{name}",alertstate="firing"}})', 1) for name, series in BAD_DAYS.items()
    ]
    cases.append(day(GOOD_DAY, 'count(ALERTS{alertstate="firing"})', None))
    file = tmp_path / "alerts.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": cases}))
    done = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_exported_is_named_as_prometheus_wants_it(promtool: str) -> None:
    assert exported()
    done = subprocess.run([promtool, "check", "metrics"], input=generate_latest(), capture_output=True, check=False)
    # Days are what the alert, the runbook and `make status` speak of. Other tests may have watched certificates.
    said = [line for line in done.stderr.decode().splitlines() if "certificate_days_left" not in line]
    assert (done.stdout, said) == (b"", [])


def test_the_rules_are_read_by_prometheus(promtool: str) -> None:
    done = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
