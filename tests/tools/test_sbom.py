"""The bills of materials name all that is shipped, with what it can be checked by."""

import json
import re

import pytest

from tests.docs.documents import ROOT
from tools import sbom

pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sbom")
    assert sbom.main(["--into", str(folder)]) == 0
    return folder


def read(folder, name):
    found = json.loads((folder / f"{name}.cdx.json").read_text())
    assert found["bomFormat"] == "CycloneDX"
    return found


def test_every_python_package_is_named_with_its_version_and_hashes(written):
    lock = (ROOT / "requirements.lock").read_text()
    pins = set(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock, re.M))
    components = read(written, "python")["components"]
    assert {(one["name"], one["version"]) for one in components} == pins
    for one in components:
        assert any(r["hashes"] for r in one["externalReferences"]), one["name"]


def test_every_package_of_the_front_end_is_named_with_its_checksum(written):
    lock = json.loads((ROOT / "posapp/web/package-lock.json").read_text())["packages"]
    packages = {
        (path.rpartition("node_modules/")[2], one["version"]) for path, one in lock.items() if path
    }
    components = read(written, "web")["components"]
    named = {
        (f"{one['group']}/{one['name']}" if one.get("group") else one["name"], one["version"])
        for one in components
    }
    assert named <= packages
    optional = {
        (path.rpartition("node_modules/")[2], one["version"])
        for path, one in lock.items()
        if one.get("optional") or one.get("peer")
    }
    assert packages - named <= optional, "those for other systems alone"


def test_no_address_of_this_machine_stands_in_them(written):
    for file in written.iterdir():
        assert str(ROOT) not in file.read_text(), file


def test_an_image_names_its_debian_packages():
    made = json.loads(sbom.image_bom("pos/backend:1", "libc6\t2.36-9\tamd64\nbash\t5.2\tamd64\n"))
    assert made["metadata"]["component"]["name"] == "pos/backend:1"
    assert [one["purl"] for one in made["components"]] == [
        "pkg:deb/debian/bash@5.2?arch=amd64",
        "pkg:deb/debian/libc6@2.36-9?arch=amd64",
    ]


@pytest.mark.parametrize("line", ["bash", "bash\t\tamd64", "a\tb\tc\td", "<script>"])
def test_a_list_that_dpkg_did_not_write_is_refused(line):
    with pytest.raises(sbom.Failure, match="dpkg's list has a line that is none"):
        sbom.image_bom("x", f"libc6\t2.36\tamd64\n{line}\n")


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("steak-kenangan/backend:1.4.0", "backend-1.4.0"),
        ("../../etc/passwd", "passwd"),
        ("a/..", "image"),
        ("a/b@sha256:0f", "b-sha256-0f"),
    ],
)
def test_the_file_of_an_image_lies_in_the_folder(image, name):
    assert sbom.file_name(image) == name


def test_without_an_engine_one_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sbom, "web_bom", lambda: "{}")
    assert sbom.main(["--into", str(tmp_path), "steak-kenangan/backend:1"]) == 2
    assert capsys.readouterr().err == "sbom: docker is not installed\n"
    assert not list(tmp_path.glob("*.cdx.json")), "all or nothing"
