"""`make mutants` names each break that no test notices, and holds the list of what nobody can."""

import subprocess
import sys

import pytest

from tests.docs.documents import ROOT

RULE = """
def is_grown_up(age):
    return age >= 18


def price(age, seats=1):
    if age in (0, 1):
        return 0
    return 50 * seats
"""
TESTS = """
from rule import is_grown_up, price


def test_eighteen_is_grown_up():
    assert is_grown_up(18)
    assert not is_grown_up(17)


def test_infants_go_free():
    assert price(0) == price(1) == 0
    assert price(2, 2) == 100
"""
PLAN = """
[[rule]]
module = "rule.py"
tests = ["test_rule.py"]
only = {only}
"""
DEFAULT = """
[[equivalent]]
module = "rule.py"
was = "def price(age, seats=1):"
becomes = "def price(age, seats= {seats}):"
reason = "nobody leaves it out"
"""


@pytest.fixture
def mutants(tmp_path):
    """`mutants(plan)` is how the tool ends in a small repository, and what it says."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "rule.py").write_text(RULE)
    (tmp_path / "test_rule.py").write_text(TESTS)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)

    def run(plan, *words):
        (tmp_path / "tools" / "mutants.toml").write_text(plan)
        command = [sys.executable, ROOT / "tools" / "mutants.py", "--root", tmp_path, *words]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert (tmp_path / "rule.py").read_text() == RULE, "the checkout itself is left alone"
        return ended.returncode, ended.stdout + ended.stderr

    return run


@pytest.mark.slow
def test_rules_that_are_stated_reach_the_score(mutants):
    code, said = mutants(PLAN.format(only=["is_grown_up"]))
    assert code == 0, said
    assert "4 of 4 killed, 100.0%" in said


@pytest.mark.slow
def test_a_break_that_no_test_notices_is_named_with_its_line_and_misses_the_score(mutants):
    code, said = mutants(PLAN.format(only=["price"]))
    assert code == 1
    assert "survived: rule.py:6 in price\n    - def price(age, seats=1):" in said
    assert "+ def price(age, seats= 2):" in said


@pytest.mark.slow
def test_what_is_listed_as_equivalent_is_subtracted_and_what_is_not_is_not(mutants):
    plan = PLAN.format(only=["price"])
    assert mutants(plan + DEFAULT.format(seats=2))[0] == 1, "the other one still survives"
    code, said = mutants(plan + DEFAULT.format(seats=2) + DEFAULT.format(seats=0))
    assert code == 0, said
    assert "2 equivalent" in said


@pytest.mark.slow
def test_a_listed_break_that_a_test_notices_or_that_is_no_more_is_a_mistake(mutants):
    killed = DEFAULT.replace("def price(age, seats=1):", "return age >= 18").replace(
        "def price(age, seats= {seats}):", "return age >  19"
    )
    noticed = killed.replace("age >  19", "age > 18")
    code, said = mutants(PLAN.format(only=["is_grown_up"]) + noticed)
    assert code == 1
    assert "listed as equivalent, and a test kills it" in said
    code, said = mutants(PLAN.format(only=["is_grown_up"]) + killed)
    assert code == 1
    assert "listed as equivalent, and no mutant" in said


def test_a_word_that_no_module_has_and_a_plan_that_is_none_are_told_in_a_line(mutants):
    code, said = mutants(PLAN.format(only=[]), "elsewhere")
    assert code == 2
    assert "no module in tools/mutants.toml has such a word" in said
    code, said = mutants("[[rule]]\nmodule = 5")
    assert "Traceback" not in said
    assert code == 2
