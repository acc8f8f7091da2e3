"""Writes what the product is made of, as CycloneDX: `make sbom`, into var/sbom.

    sbom.py [--into FOLDER]             python.cdx.json, web.cdx.json: of the two lock files
    sbom.py [--into FOLDER] IMAGE ...   an image's Debian packages as well: backend-1.4.0.cdx.json

The packages of an image are asked of its own dpkg, in a container without a network.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tools import build_web

ROOT = Path(__file__).resolve().parent.parent
DPKG = r"${Package}\t${Version}\t${Architecture}\n"
PATIENCE = 120
"""Seconds for one program."""


class Failure(Exception):
    """What went wrong and how to mend it, in one line."""


def main(arguments: list[str] | None = None) -> int:
    """Writes the files; 2 and one line where one cannot be made."""
    parser = argparse.ArgumentParser(description="Writes bills of materials (CycloneDX, JSON).")
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="an image that the engine has")
    parser.add_argument("--into", type=Path, default=ROOT / "var" / "sbom", metavar="FOLDER")
    asked = parser.parse_args(arguments)
    try:
        asked.into.mkdir(parents=True, exist_ok=True)
        packages = {image: packages_of(image) for image in asked.images}  # quick, or not at all
        made = {"python": python_bom(), "web": web_bom()}
        made |= {file_name(image): image_bom(image, of) for image, of in packages.items()}
        for name, text in made.items():
            (asked.into / f"{name}.cdx.json").write_text(text)
    except (Failure, build_web.Failure, OSError) as failure:
        print(f"sbom: {failure}", file=sys.stderr)
        return 2
    print("\n".join(str(asked.into / f"{name}.cdx.json") for name in made))
    return 0


def python_bom() -> str:
    """Every pin of requirements.lock with its hashes, as JSON."""
    return _run(
        *(sys.executable, "-m", "cyclonedx_py", "requirements", "requirements.lock"),
        *("--pyproject", "pyproject.toml", "--output-reproducible"),
    )


def web_bom() -> str:
    """Every package of package-lock.json with its checksum, as JSON."""
    node = build_web.find_node(os.environ["PATH"])
    return _run(
        *(*node.npm, "sbom", "--package-lock-only", "--sbom-format=cyclonedx"),
        folder=build_web.WEB,
        path=node.path,
    )


def packages_of(image: str) -> str:
    """What dpkg says is installed in an image: name, version and architecture, a line each."""
    limits = ("--rm", "--network=none", "--read-only", "--cap-drop=ALL")
    ask = ("--entrypoint=dpkg-query", image, "-W", "-f", DPKG)
    return _run("docker", "run", *limits, *ask)


def image_bom(image: str, packages: str) -> str:
    """An image and its Debian packages, as JSON. Raises Failure for lines that dpkg writes not."""
    bom = Bom()
    root = Component(name=image, type=ComponentType.CONTAINER, bom_ref=image)
    bom.metadata.component = root
    for line in packages.splitlines():
        name, version, architecture = _fields(line)
        url = PackageURL("deb", "debian", name, version, {"arch": architecture})
        package = Component(name=name, version=version, purl=url, bom_ref=str(url))
        bom.components.add(package)
    bom.register_dependency(root, bom.components)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def file_name(image: str) -> str:
    """`steak-kenangan/backend:1.4.0` as backend-1.4.0: no part of it leads out of the folder."""
    return re.sub(r"[^\w.-]", "-", image.rpartition("/")[2]).lstrip(".") or "image"


def _fields(line: str) -> list[str]:
    fields = line.split("\t")
    if len(fields) != 3 or not all(fields):
        raise Failure(f"dpkg's list has a line that is none: {line[:80]!r}; is the image Debian?")
    return fields


def _run(program: str, *arguments: str, folder: Path = ROOT, path: str | None = None) -> str:
    environ = {**os.environ, "PATH": path or os.environ["PATH"]}
    try:
        done = subprocess.run(
            [program, *arguments],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        raise Failure(f"{program} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"{program} took longer than {PATIENCE} s") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise Failure(f"{program} failed: {said[-1][:200]!r}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
