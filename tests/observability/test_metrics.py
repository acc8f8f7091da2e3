"""/metrics: right over all workers, and after one has been replaced."""

import os
import re
import signal
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from healthkit.testing import wait_until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture(scope="module")
def server(serve, database):
    return serve(database, WEB_CONCURRENCY="3")


def samples(server):
    text = requests.get(f"{server.url}/metrics", timeout=60).text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(server, name, **labels):
    return samples(server).get((name, tuple(sorted(labels.items()))), 0)


def ask(server, count):
    for _ in range(count):  # without keep-alive, so that they spread over the workers
        requests.get(
            f"{server.url}/api/v1/public/menu", headers={"Connection": "close"}, timeout=60
        )


MENU = {"method": "GET", "route": "/api/v1/public/menu", "status": "200"}


@pytest.mark.deep
def test_requests_of_all_workers_are_counted_by_route_also_when_one_is_replaced(server):
    before = value(server, "posapp_http_requests_total", **MENU)
    ask(server, 30)
    assert value(server, "posapp_http_requests_total", **MENU) == before + 30
    master = psutil.Process(server.process.pid)
    victim = master.children()[0].pid
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim not in [child.pid for child in master.children()])
    wait_until(lambda: len(master.children()) == 3)
    ask(server, 10)
    assert value(server, "posapp_http_requests_total", **MENU) == before + 40
    labels = {"method": "GET", "route": "/api/v1/public/menu"}
    assert value(server, "posapp_http_request_duration_seconds_count", **labels) == before + 40


def test_a_stranger_makes_no_metrics_of_paths_and_methods(server):
    for _ in range(5):
        requests.get(f"{server.url}/api/v1/{uuid4()}", timeout=60)
        requests.request("BREW", f"{server.url}/api/v1/{uuid4()}", timeout=60)
    routes = {dict(labels).get("route") for _, labels in samples(server)}
    methods = {dict(labels).get("method") for _, labels in samples(server)}
    assert "unmatched" in routes
    assert all(route is None or len(route) < 40 for route in routes)
    assert "BREW" not in methods


def test_orders_and_revenue_are_counted_once_each(server):
    login = {"username": "cashier", "password": "cashier-demo"}
    token = requests.post(f"{server.url}/api/v1/auth/login", json=login, timeout=60).json()
    headers = {"Authorization": f"Bearer {token['access_token']}", "Idempotency-Key": str(uuid4())}
    menu = requests.get(f"{server.url}/api/v1/public/menu", timeout=60).json()
    product = menu["categories"][-1]["products"][0]["id"]
    body = {"type": "takeaway", "lines": [{"product_id": product, "quantity": 1}]}
    orders = value(server, "posapp_orders_total", type="takeaway")
    revenue = value(server, "posapp_revenue_rupiah_total", method="qris")
    address = f"{server.url}/api/v1/orders"
    for _ in range(3):
        order = requests.post(address, json=body, headers=headers, timeout=60).json()
    assert value(server, "posapp_orders_total", type="takeaway") == orders + 1
    payment = {"method": "qris", "amount": order["due"]}
    for _ in range(3):
        requests.post(
            f"{address}/{order['id']}/payments",
            json=payment,
            headers={**headers, "Idempotency-Key": f"payment-of-order-{order['id']}"},
            timeout=60,
        )
    assert value(server, "posapp_revenue_rupiah_total", method="qris") == revenue + order["due"]


def test_a_worker_that_has_just_made_its_files_disturbs_no_reading(server):
    before = value(server, "posapp_pool_limit_connections")
    folder = metrics_folder(server)
    kinds = {path.name.rsplit("_", 1)[0] for path in folder.glob("*.db")}
    assert {"counter", "gauge_livesum", "histogram"} <= kinds
    fresh = [folder / f"{kind}_999999999.db" for kind in kinds]
    for path in fresh:
        path.touch()
    answer = requests.get(f"{server.url}/metrics", timeout=60)
    for path in fresh:
        path.unlink()
    assert answer.status_code == 200
    assert value(server, "posapp_pool_limit_connections") == before


def metrics_folder(server):
    environment = psutil.Process(server.process.pid).children()[0].environ()
    data = Path(environment["POS_DATA_DIR"])
    (folder,) = data.rglob("metrics-*")
    return folder


def test_the_pool_and_the_checks_are_told(server):
    found = {name for name, _ in samples(server)}
    assert value(server, "posapp_pool_open_connections") >= 1
    assert {"posapp_pool_connections_in_use", "healthkit_check_status", "healthkit_up"} <= found


def named(text):
    """The metrics that a query or a rule names."""
    return set(re.findall(r"\b(?:posapp|healthkit)_[a-z_]+", text))


def test_rules_and_dashboard_name_only_metrics_that_there_are(server):
    rules = (DEPLOY / "prometheus" / "rules.yml").read_text()
    dashboard = (DEPLOY / "grafana" / "posapp.json").read_text()
    alerts = [rule for group in yaml.safe_load(rules)["groups"] for rule in group["rules"]]
    assert all({"expr", "labels", "annotations"} <= rule.keys() for rule in alerts)
    ask(server, 1)
    requests.get(f"{server.url}/api/v1/nothing", timeout=60)
    found = {name for name, _ in samples(server)}
    for text in (rules, dashboard):
        assert named(text) <= found
        assert len(named(text)) >= 5
