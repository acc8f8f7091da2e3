"""The production's compose file: each rule for every service, and each trap of the engines."""

import re
from ipaddress import ip_address, ip_network

import pytest

from posapp.runtime.connections import RESERVED, Layout, shortage
from posapp.settings import Settings
from tests.deploy.stack import DEPLOY, ROOT, seconds, services, stack

NAMES = sorted(services())
LASTING = [name for name in NAMES if services()[name]["restart"] != "no"]
ONCE = [name for name in NAMES if name not in LASTING]
BACKEND_USER = 10001


def default(text):
    """`${NAME:-default}` as it is with nothing set."""
    return re.sub(r"\$\{\w+:-([^{}]*)\}", r"\1", str(text))


def test_the_stack_has_every_part_that_is_promised():
    parts = {"backend", "watch", "backup", "frontend", "postgres", "uptime-kuma", "cloudflared"}
    assert set(NAMES) == {*parts, *ONCE}
    assert ONCE == ["migrate", "pages"]
    assert services()["cloudflared"]["profiles"] == ["tunnel"]


@pytest.mark.parametrize("name", NAMES)
def test_a_service_has_no_more_rights_than_it_needs(name):
    service = services()[name]
    user = int(service["user"].partition(":")[0])
    assert user >= 999
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert not [v for v in service.get("volumes", []) if "docker.sock" in v]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "uptime-kuma"])
def test_a_root_is_read_only_and_has_a_writable_tmp_of_its_user(name):
    service = services()[name]
    assert service["read_only"] is True
    user = service["user"].partition(":")[0]
    for place in service.get("tmpfs", []):
        assert f"uid={user}" in place
    writes = name not in ("cloudflared",)
    assert writes == any(place.startswith("/tmp:") for place in service.get("tmpfs", []))


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_bounded(name):
    service = services()[name]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert 10 <= service["pids_limit"] <= 500
    assert service["logging"] == {
        "driver": "json-file",
        "options": {"max-size": "10m", "max-file": "3"},
    }


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_comes_back_by_itself_and_says_how_it_is(name):
    service = services()[name]
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    # `up --wait` waits for the first check, which comes after one interval; a shorter one at the
    # start (`start_interval`) is refused by the engine of Debian 12.
    assert seconds(check["interval"]) <= 10
    assert seconds(check["timeout"]) <= seconds(check["interval"])
    assert "start_interval" not in check


@pytest.mark.parametrize("name", ONCE)
def test_what_runs_once_does_not_run_again_after_a_power_cut(name):
    assert services()[name]["restart"] == "no"
    assert services()[name]["healthcheck"] == {"disable": True}
    waiting = [s for s in services().values() if name in s.get("depends_on", {})]
    assert waiting
    for service in waiting:
        assert service["depends_on"][name] == {"condition": "service_completed_successfully"}


def test_what_is_waited_for_is_waited_for_until_it_is_ready():
    for service in services().values():
        for name, how in service.get("depends_on", {}).items():
            expected = "completed_successfully" if name in ONCE else "healthy"
            assert how == {"condition": f"service_{expected}"}


@pytest.mark.parametrize("name", NAMES)
def test_no_name_and_no_port_stands_in_the_way_of_scaling(name):
    service = services()[name]
    assert "container_name" not in service
    published = {"frontend", "uptime-kuma"}
    assert ("ports" in service) == (name in published)
    for port in service.get("ports", []):  # nobody is let in by accident
        assert default(port).startswith("127.0.0.1:")


def test_a_backend_is_looked_at_where_it_says_whether_it_is_ready():
    assert services()["backend"]["healthcheck"]["test"] == ["CMD", "ready", "8080", "/readyz"]
    assert '"/readyz"' in (DEPLOY / "backend.Dockerfile").read_text()


def test_a_server_has_more_time_to_end_than_its_requests():
    graceful = Settings().graceful_timeout
    for name in ("backend", "watch", "backup", "frontend"):
        assert seconds(services()[name]["stop_grace_period"]) > graceful
    assert seconds(services()["cloudflared"]["stop_grace_period"]) > 30  # its own grace


def test_the_data_of_postgresql_18_lies_above_the_folder_of_its_version():
    mounts = dict(v.split(":")[:2] for v in services()["postgres"]["volumes"])
    assert mounts["postgres-data"] == "/var/lib/postgresql"
    assert seconds(services()["postgres"]["stop_grace_period"]) >= 60


def test_postgresql_is_ready_only_when_it_listens_by_tcp():
    assert "127.0.0.1" in services()["postgres"]["healthcheck"]["test"]


def test_all_connections_fit_with_three_backends():
    command = " ".join(services()["postgres"]["command"])
    most = int(re.search(r"max_connections=(\d+)", command)[1])
    settings = Settings()
    layout = Layout(3, settings.web_concurrency, settings.db_max_open_conns)
    assert shortage(layout, most) is None
    assert layout.needed + RESERVED > 100  # which PostgreSQL has by itself
    assert "shared_preload_libraries=pg_stat_statements" in command


def test_secrets_are_files_without_what_compose_ignores():
    for name, secret in stack()["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}
    for service in services().values():
        for used in service.get("secrets", []):
            assert isinstance(used, str), "uid, gid and mode of a file secret are ignored"
            assert used in stack()["secrets"]


def test_each_secret_gets_the_owner_that_its_containers_run_as():
    """setup.sh names owner, group and mode of every file; the containers' users must be able to
    read, nobody else."""
    text = (DEPLOY / "setup.sh").read_text()
    users = dict(re.findall(r"\b([A-Z]+)=(\d+)", re.search(r"^POSAPP=.*$", text, re.M)[0]))
    made = re.findall(r"^secret (\w+) \$(\w+) \$(\w+) (0\d{3})", text, re.M)
    assert {name for name, *_ in made} == set(stack()["secrets"])
    for name, owner, group, mode in made:
        readers = {s["user"] for s in services().values() if name in s.get("secrets", [])}
        for reader in readers:
            user, _, gid = reader.partition(":")
            assert user == users[owner] or (gid == users[group] and mode == "0440")
        assert mode in ("0400", "0440")


def test_no_secret_stands_in_the_environment_of_a_container():
    for service in services().values():
        for name, value in (service.get("environment") or {}).items():
            if re.search("SECRET|PASSWORD|TOKEN|KEY", name):
                assert name.endswith("_FILE")
                assert str(value).startswith("/run/secrets/")


def test_only_the_tunnel_speaks_from_the_tunnels_address():
    tunnel = stack()["networks"]["tunnel"]
    subnet = ip_network(default(tunnel["ipam"]["config"][0]["subnet"]))
    address = ip_address(default(services()["cloudflared"]["networks"]["tunnel"]["ipv4_address"]))
    assert address in subnet
    assert address != next(subnet.hosts())  # the engine's own
    # Given to nobody else: nginx is there first, and would get the first that is free.
    given = ip_network(default(tunnel["ipam"]["config"][0]["ip_range"]))
    assert given.subnet_of(subnet)
    assert address not in given
    believed = services()["frontend"]["environment"]["TUNNEL_ADDRESS"]
    assert default(believed) == str(address)
    on_it = [name for name, s in services().items() if "tunnel" in s.get("networks", [])]
    assert sorted(on_it) == ["cloudflared", "frontend"]


def test_the_database_and_the_backends_are_out_of_reach_from_outside():
    networks = stack()["networks"]
    assert networks["data"] == {"internal": True}
    assert networks["app"]["internal"]
    assert services()["postgres"]["networks"] == ["data"]
    assert "data" not in services()["frontend"]["networks"]


def test_nginx_alone_tells_backends_who_the_client_is():
    """The others on a network with it are our own, and ask for nobody."""
    backend = services()["backend"]
    (where,) = Settings.from_env(
        {"PROXY_NETWORKS": default(backend["environment"]["PROXY_NETWORKS"])}
    ).proxy_networks
    assert str(where) == default(stack()["networks"]["app"]["ipam"]["config"][0]["subnet"])
    on_it = [name for name, s in services().items() if "app" in s.get("networks", [])]
    assert sorted(on_it) == ["backend", "frontend", "watch"]
    tunnel = ip_network(default(stack()["networks"]["tunnel"]["ipam"]["config"][0]["subnet"]))
    assert not where.overlaps(tunnel)


def test_images_are_pinned_and_what_is_built_carries_its_version():
    for name, service in services().items():
        image, _, tag = service["image"].rpartition(":")
        assert tag != "latest"
        if image.startswith("steak-kenangan/"):
            assert "POS_VERSION" in service["image"]
        else:
            assert re.search(r"\d", tag), f"{name}: {service['image']} names no version"


@pytest.mark.parametrize("kind", ["backend", "frontend"])
def test_an_image_is_built_in_stages_and_runs_as_the_user_of_its_service(kind):
    text = (DEPLOY / f"{kind}.Dockerfile").read_text()
    last = text.split("\nFROM ")[-1]
    assert text.count("\nFROM ") >= 2
    assert services()[kind]["user"] == re.search(r"^USER (\S+)$", last, re.M)[1]
    for base in re.findall(r"^ARG \w+=(\S+:\S+)$", text, re.M):
        assert re.search(r":[\w.-]*(\d|bookworm)", base)
    # No compiler, and nothing that fetches one.
    assert not re.search(r"\b(gcc|build-essential|python3-dev|npm ci)\b", last)
    ignored = (DEPLOY / f"{kind}.Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*"  # nothing gets in by accident, least of all secrets
    assert not [line for line in ignored if line.startswith("!") and "secret" in line]


def test_what_an_image_needs_from_the_checkout_is_let_in():
    for kind in ("backend", "frontend"):
        text = (DEPLOY / f"{kind}.Dockerfile").read_text()
        ignored = (DEPLOY / f"{kind}.Dockerfile.dockerignore").read_text().splitlines()
        let_in = [line[1:] for line in ignored if line.startswith("!")]
        for line in re.findall(r"^COPY (?!--)(.+)$", text, re.M):
            for source in line.split()[:-1]:
                assert list(ROOT.glob(source)), source
                assert any(source == one or source.startswith(f"{one}/") for one in let_in), source
