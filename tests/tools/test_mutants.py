"""`make mutants` names each break that no test notices, and holds the list of what nobody can."""

import subprocess
import sys

import pytest

from tests.docs.documents import ROOT

RULE = """
def is_grown_up(age, limit=18):
    return age >= limit
"""
STATED = """
from rule import is_grown_up


def test_eighteen_is_grown_up():
    assert is_grown_up(18)
    assert not is_grown_up(17)
"""
VAGUE = STATED.replace("(18)", "(30)").replace("(17)", "(3)")
PLAN = """
[[rule]]
module = "rule.py"
tests = ["test_rule.py"]
"""


def equivalent(was, becomes):
    return f"""
[[equivalent]]
module = "rule.py"
was = "{was}"
becomes = "{becomes}"
reason = "so it is said"
"""


@pytest.fixture
def mutants(tmp_path):
    """`mutants(plan, tests)` is how the tool ends in a small repository, and what it says."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "rule.py").write_text(RULE)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)

    def run(plan, tests, *words):
        (tmp_path / "tools" / "mutants.toml").write_text(plan)
        (tmp_path / "test_rule.py").write_text(tests)
        command = [sys.executable, ROOT / "tools" / "mutants.py", "--root", tmp_path, *words]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert (tmp_path / "rule.py").read_text() == RULE, "the checkout itself is left alone"
        return ended.returncode, ended.stdout + ended.stderr

    return run


@pytest.mark.deep
@pytest.mark.slow
def test_a_rule_that_is_stated_reaches_the_score(mutants):
    code, said = mutants(PLAN, STATED)
    assert code == 0, said
    assert "4 of 4 killed, 100.0%" in said


@pytest.mark.deep
@pytest.mark.slow
def test_what_survives_is_named_but_for_what_is_listed_and_a_wrong_list_is_a_mistake(mutants):
    default, comparison = "def is_grown_up(age, limit=18):", "return age >= limit"
    listed = [
        equivalent(default, "def is_grown_up(age, limit= 19):"),
        equivalent(default, "def is_grown_up(age, limit= 17):"),
        equivalent(comparison, "return age < limit"),
        equivalent(comparison, "return age > limits"),
    ]
    code, said = mutants(PLAN + "".join(listed), VAGUE)
    assert code == 1
    assert said.count("survived") == 1
    assert (
        "survived: rule.py:3 in is_grown_up\n"
        "    - return age >= limit\n"
        "    + return age > limit\n" in said
    )
    assert said.count("mistake: ") == 2
    assert "listed as equivalent, and a test kills it: rule.py:3" in said
    assert (
        f"listed as equivalent, and no mutant: rule.py: {comparison} → return age > limits" in said
    )
    assert "0 of 1 killed, 0.0% (95% is wanted), 3 equivalent" in said


def test_a_word_that_no_module_has_and_a_plan_that_is_none_are_told_in_a_line(mutants):
    code, said = mutants(PLAN, STATED, "elsewhere")
    assert code == 2
    assert "no module in tools/mutants.toml has such a word" in said
    code, said = mutants("[[rule]]\nmodule = 5", STATED)
    assert "Traceback" not in said
    assert code == 2
