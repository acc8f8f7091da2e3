"""All that is shipped has a licence that we accept: nothing that binds our own code."""

import json
import re
from importlib.metadata import PackageNotFoundError, metadata

from tests.deploy.stack import ROOT

ACCEPTED = re.compile(
    r"MIT|MIT-0|BSD|BSD-[23]-Clause|Apache-2\.0|Apache Software|ISC|PSF-2\.0|Python Software"
    r"|MPL-2\.0|Mozilla Public|ZPL-2\.1|Zope Public|Unlicense|0BSD|CC0-1\.0|OFL-1\.1|PostgreSQL"
    r"|CNRI-Python|Python-2\.0|BlueOak-1\.0\.0|DFSG approved"
)
"""Permissive ones, and those that bind only changes of the files themselves."""

LOOKED_AT = {
    "psycopg2-binary": "LGPL: used as it is, a package of its own, which anybody may replace",
    "pyrage": "MIT, in its repository; the wheel does not say",
}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def shipped():
    """The packages of requirements.lock that are installed here; others are for other systems."""
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.M):
        try:
            yield name, metadata(name)
        except PackageNotFoundError:
            continue


def licences(found):
    """The names that a package gives, each of which may be `A OR B`, `A AND B`."""
    if expression := found.get("License-Expression"):
        return [expression]
    classifiers = [c for c in found.get_all("Classifier", []) if c.startswith("License ::")]
    named = [c.rpartition(" :: ")[2] for c in classifiers if c.count("::") > 1]
    return named or [(found.get("License") or "none").strip().splitlines()[0]]


def accepted(licence):
    choices = re.split(r"\s+OR\s+", licence.strip("()"))
    return any(
        all(ACCEPTED.search(part) and "GPL" not in part for part in re.split(r"\s+AND\s+", choice))
        for choice in choices
    )


def test_every_python_package_has_a_licence_that_we_accept():
    packages = dict(shipped())
    assert len(packages) > 60
    wrong = {
        name: licences(found)
        for name, found in packages.items()
        if normal(name) not in LOOKED_AT and not any(map(accepted, licences(found)))
    }
    assert wrong == {}


def test_every_package_of_the_front_end_has_a_licence_that_we_accept():
    lock = json.loads((ROOT / "posapp/web/package-lock.json").read_text())
    shown = {
        p: one.get("license", "none")
        for p, one in lock["packages"].items()
        if p and not one.get("dev")
    }
    assert len(shown) > 20
    assert {p: licence for p, licence in shown.items() if not accepted(licence)} == {}


def test_the_rule_tells_one_that_binds_from_one_that_does_not():
    assert accepted("MIT OR GPL-3.0")
    assert accepted("(MIT AND BSD-3-Clause)")
    assert not accepted("GPL-3.0-only")
    assert not accepted("MIT AND AGPL-3.0")
    assert not accepted("none")


def test_every_pin_has_its_hashes():
    for name in ("requirements.lock", "requirements-dev.lock"):
        pins = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text())
        pinned = [pin for pin in pins if re.match(r"[A-Za-z0-9._-]+(\[.*\])?==", pin)]
        assert pinned
        assert [pin for pin in pinned if "--hash=sha256:" not in pin] == []
    lock = json.loads((ROOT / "posapp/web/package-lock.json").read_text())
    assert [p for p, one in lock["packages"].items() if p and not one.get("integrity")] == []
