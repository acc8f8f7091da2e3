"""`make audit` tells known faults, and never takes a list that is not there for a good one.

PyPI's and npm's lists are stood in for: what they answer is what their tools print."""

import json
import os
import subprocess

import pytest

from tests.docs.documents import ROOT

CLEAN = {"dependencies": [{"name": "flask", "version": "3.1.3", "vulns": []}], "fixes": []}
FAULTY = {
    "dependencies": [
        {
            "name": "flask",
            "version": "2.0",
            "vulns": [{"id": "PYSEC-2023-62", "fix_versions": ["2.2.5", "2.3.2"]}],
        }
    ]
}
SKIPPED = {"dependencies": [{"name": "flask", "skip_reason": "Dependency not found on PyPI"}]}
NPM_CLEAN = {
    "auditReportVersion": 2,
    "vulnerabilities": {},
    "metadata": {"vulnerabilities": {"total": 0}},
}
NPM_FAULTY = {
    "auditReportVersion": 2,
    "vulnerabilities": {"vite": {"name": "vite", "range": "<5", "severity": "high"}},
    "metadata": {"vulnerabilities": {"total": 1}},
}
REFUSED = {"message": "405 Method Not Allowed"}


@pytest.mark.parametrize(
    ("pypi", "npm", "code", "said"),
    [
        (CLEAN, NPM_CLEAN, 0, ""),
        (FAULTY, NPM_CLEAN, 1, "python: flask: PYSEC-2023-62, mended in 2.2.5, 2.3.2\n"),
        (CLEAN, NPM_FAULTY, 1, "web: vite <5: high\n"),
        (SKIPPED, NPM_CLEAN, 3, "audit: PyPI's list says nothing of 1 packages\n"),
        (None, NPM_CLEAN, 3, "audit: PyPI's list cannot be had\n"),
        (CLEAN, REFUSED, 3, "audit: npm's list cannot be had\n"),
        (CLEAN, None, 3, "audit: npm's list cannot be had\n"),
    ],
)
def test_known_faults_are_told_and_a_list_that_is_missing_too(
    need, tmp_path, pypi, npm, code, said
):
    need("jq")
    for program, answer in (("pip-audit", pypi), ("npm", npm)):
        file = tmp_path / program
        file.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer) if answer else ''}\nEND\n")
        file.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        [ROOT / "tools" / "audit.sh"], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (code, said)
