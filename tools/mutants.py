"""Break the rules on purpose and say which break no test notices: `make mutants`.

    tools/mutants.py                 every module in tools/mutants.toml
    tools/mutants.py totals tender   only modules with one of these words in their path

Each mutant is one change of an operator, bound, constant or branch by Cosmic Ray. It is tried in a
copy of the checkout with the few tests that state the module's rules; a mutant that they pass has
survived. Mutants are chosen by position alone, so two runs try the same ones. Those listed as
equivalent are tried too: a listed one that a test kills, or that is no more, is a mistake.

Exit 0 at the score wanted or better, 1 below it or for a mistake in the list, 2 for a bad call.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, cast

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code, use_mutation
from hypothesis import Phase, settings
from mutation_operators import OPERATORS, operator

ROOT = Path(__file__).resolve().parent.parent
WANTED = 0.95
LIMIT = 100
"""Mutants of one module; of more, every second, third… is taken."""
MINIMUM_TIMEOUT = 60.0
"""Seconds. Who runs ten times as long as unbroken, and as long as this, is in an endless loop."""
LIBRARIES = (
    "pytest",
    "hypothesis.strategies",
    "pydantic_settings",
    "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql.psycopg2",
    "click",
    "flask",
    "jwt",
    "loguru",
)
"""Nothing of ours. Each worker loads them once, for they take longer than the tests of a mutant."""


@dataclass(frozen=True)
class Rule:
    """A module of rules and the tests that state them; of its definitions only some, or all."""

    module: str
    tests: tuple[str, ...]
    only: tuple[str, ...] = ()
    fixtures: bool = False
    """Whether the tests need those of a conftest.py, which take longer to import than to run."""


@dataclass(frozen=True, order=True)
class Mutant:
    """One change of one module."""

    module: str
    line: int
    column: int
    operator: str
    occurrence: int
    definition: str
    was: str
    becomes: str

    def __str__(self) -> str:
        place = f"{self.module}:{self.line} in {self.definition or 'the module'}"
        return f"{place}\n    - {self.was}\n    + {self.becomes}"


@dataclass(frozen=True)
class Equivalent:
    """A change that alters nothing anybody can see, and why; `was` and `becomes` are lines."""

    module: str
    was: str
    becomes: str
    reason: str
    definition: str = ""

    def fits(self, mutant: Mutant) -> bool:
        same = (self.module, self.was, self.becomes) == (
            mutant.module,
            mutant.was,
            mutant.becomes,
        )
        return same and self.definition in ("", mutant.definition)


@dataclass(frozen=True)
class Plan:
    rules: tuple[Rule, ...]
    equivalents: tuple[Equivalent, ...]

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Raises SystemExit where the file is no plan."""
        try:
            text = tomllib.loads(path.read_text())
            rules = tuple(
                Rule(**{key: tuple(v) if isinstance(v, list) else v for key, v in one.items()})
                for one in text["rule"]
            )
            return cls(rules, tuple(Equivalent(**one) for one in text.get("equivalent", ())))
        except (OSError, ValueError, KeyError, TypeError) as error:
            fail(f"{path}: {type(error).__name__}: {error}")


def fail(message: str) -> NoReturn:
    print(f"mutants: {message}", file=sys.stderr)
    raise SystemExit(2)


def mutants_of(root: Path, rule: Rule) -> list[Mutant]:
    """Every mutant of a module, in the order of its text. Raises SystemExit without the file."""
    for name in (rule.module, *rule.tests):
        if not (root / name).is_file():
            fail(f"tools/mutants.toml names {name}, which is not there")
    code = (root / rule.module).read_text()
    nodes = list(ast_nodes(get_ast(code)))
    found = []
    for name in OPERATORS:
        changing = operator(name)
        places = ((node, at) for node in nodes for at, _ in changing.mutation_positions(node))
        for occurrence, (node, (line, column)) in enumerate(places):
            definition = ASTQuery(node).get_definition_name() or ""
            if in_decorator(node) or (rule.only and definition not in rule.only):
                continue
            was, becomes = changed_lines(code, mutate_code(code, operator(name), occurrence))
            found.append(
                Mutant(rule.module, line, column, name, occurrence, definition, was, becomes)
            )
    return sorted(found)


def in_decorator(node: Any) -> bool:
    """Whether a node is how a thing is made, such as `@dataclass(frozen=True)`, and no rule."""
    return node is not None and (node.type == "decorator" or in_decorator(node.parent))


def changed_lines(code: str, mutated: str) -> tuple[str, str]:
    """The part of the lines that differs, on one line each."""
    before, after = code.splitlines(), mutated.splitlines()
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return " ".join(" ".join(before).split()), " ".join(" ".join(after).split())


def choose(mutants: Sequence[Mutant], equivalents: Iterable[Equivalent]) -> list[Mutant]:
    """All of a few mutants, each n-th of many, and those that are listed."""
    listed = list(equivalents)
    stride = -(-len(mutants) // LIMIT) or 1
    return [
        mutant
        for index, mutant in enumerate(mutants)
        if index % stride == 0 or any(one.fits(mutant) for one in listed)
    ]


# Trying them: each worker has a copy of the checkout as its working directory.


def work_in_copy(root: Path, folder: Path) -> None:
    """Begins a worker: its own copy, whose code is imported before that of the environment."""
    copy = folder / str(os.getpid())
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)  # with its time: Python compares it to the .pyc
    os.chdir(copy)
    sources = [copy, *copy.glob("healthkit/src"), *copy.glob("plugins/*/src")]
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, sources))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # schemathesis alone takes seconds
    sys.path[:0] = map(str, sources)
    for name in LIBRARIES:
        import_module(name)
    find_and_stop()


def find_and_stop() -> None:
    """Has Hypothesis draw the same examples each time, and look for no simpler one that fails."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", derandomize=True, database=None, phases=phases)
    settings.load_profile("mutants")


def arguments_of(rule: Rule) -> list[str]:
    plugins = (
        "-p no:cacheprovider -p pytest_timeout -p healthkit.testing -p _hypothesis_pytestplugin"
    )
    alone = "" if rule.fixtures else "--noconftest"
    return [*f"-x -q {plugins} {alone}".split(), *rule.tests]


def try_unbroken(rule: Rule) -> tuple[float, str]:
    """The seconds that the tests of a rule take, and what they say if they fail."""
    began = time.monotonic()
    if exit_code_of_tests(rule, None) == 0:
        return time.monotonic() - began, ""
    command = [sys.executable, "-m", "pytest", *arguments_of(rule)]
    ended = subprocess.run(command, capture_output=True, text=True)
    return 0.0, f"{ended.stdout}{ended.stderr}exit code {ended.returncode}"


def is_killed(rule: Rule, mutant: Mutant, timeout: float) -> bool:
    """Whether the tests fail, do not come so far, or do not end."""
    with use_mutation(Path(mutant.module), operator(mutant.operator), mutant.occurrence):
        return exit_code_of_tests(rule, timeout) != 0


def exit_code_of_tests(rule: Rule, timeout: float | None) -> int | None:
    """Runs them in a fork of this process, which has loaded the libraries and nothing of ours."""
    child = multiprocessing.get_context("fork").Process(target=run_tests, args=(rule, timeout))
    child.start()
    child.join(timeout)
    with suppress(ProcessLookupError):  # also what broken code left running
        os.killpg(cast("int", child.pid), signal.SIGKILL)
    child.join()
    return child.exitcode


def run_tests(rule: Rule, timeout: float | None) -> NoReturn:
    """Ends this process, which leads a group of its own, with the exit code of pytest."""
    os.setsid()
    # Two changes in one second look alike to Python's cache: only the unbroken code goes into it.
    sys.dont_write_bytecode = timeout is not None
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    os._exit(import_module("pytest").main(arguments_of(rule)))


@dataclass
class Tally:
    """What has come of the mutants."""

    killed: list[Mutant]
    survived: list[Mutant]
    listed: list[Mutant]
    mistakes: list[str]

    @property
    def score(self) -> float:
        counted = len(self.killed) + len(self.survived)
        return len(self.killed) / counted if counted else 1.0


def run(root: Path, plan: Plan, workers: int) -> Tally:
    """Tries the mutants of all rules. Raises SystemExit where tests fail on the unbroken code."""
    tally = Tally([], [], [], [])
    found = {rule: mutants_of(root, rule) for rule in plan.rules}
    tally.mistakes += stale(plan, [one for mutants in found.values() for one in mutants])
    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as folder,
        ProcessPoolExecutor(
            workers, initializer=work_in_copy, initargs=(root, Path(folder))
        ) as pool,
    ):
        unbroken = list(pool.map(try_unbroken, plan.rules))
        for rule, (_, failure) in zip(plan.rules, unbroken, strict=True):
            if failure:
                fail(f"the tests of {rule.module} fail unbroken:\n{failure}")
        pending = []
        for rule, (seconds, _) in zip(plan.rules, unbroken, strict=True):
            timeout = max(MINIMUM_TIMEOUT, 10 * seconds)
            chosen = choose(found[rule], plan.equivalents)
            pending += [(one, pool.submit(is_killed, rule, one, timeout)) for one in chosen]
        for mutant, future in pending:
            count(tally, plan, mutant, future.result())
    return tally


def stale(plan: Plan, mutants: Sequence[Mutant]) -> Iterator[str]:
    modules = {rule.module for rule in plan.rules}
    for one in plan.equivalents:
        if one.module in modules and not any(one.fits(mutant) for mutant in mutants):
            yield f"listed as equivalent, and no mutant: {one.module}: {one.was} → {one.becomes}"


def count(tally: Tally, plan: Plan, mutant: Mutant, killed: bool) -> None:
    listed = any(one.fits(mutant) for one in plan.equivalents)
    if listed and killed:
        tally.mistakes.append(f"listed as equivalent, and a test kills it: {mutant}")
    (tally.listed if listed else tally.killed if killed else tally.survived).append(mutant)
    if not killed and not listed:
        print(f"survived: {mutant}", flush=True)


def report(plan: Plan, tally: Tally, seconds: float) -> str:
    lines = []
    for rule in plan.rules:
        killed, survived, listed = (
            sum(one.module == rule.module for one in each)
            for each in (tally.killed, tally.survived, tally.listed)
        )
        lines.append(
            f"{killed:4} of {killed + survived:3} killed, {listed:2} listed  {rule.module}"
        )
    lines += [f"mistake: {one}" for one in tally.mistakes]
    lines.append(
        f"mutants: {len(tally.killed)} of {len(tally.killed) + len(tally.survived)} killed,"
        f" {tally.score:.1%} ({WANTED:.0%} is wanted), {len(tally.listed)} equivalent,"
        f" in {seconds / 60:.1f} minutes"
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="only modules with one of these in their path")
    parser.add_argument("--workers", type=int, default=2, help="tried at once (2)")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    plan = Plan.read(given.root / "tools" / "mutants.toml")
    if given.words:
        wanted = [f"*{word}*" for word in given.words]
        rules = [one for one in plan.rules if any(fnmatch(one.module, word) for word in wanted)]
        plan = Plan(tuple(rules), plan.equivalents)
    if given.workers < 1:
        parser.error("--workers: one at least")
    if not plan.rules:
        parser.error("no module in tools/mutants.toml has such a word in its path")
    began = time.monotonic()
    tally = run(given.root, plan, given.workers)
    print(report(plan, tally, time.monotonic() - began))
    return int(bool(tally.mistakes) or tally.score < WANTED)


if __name__ == "__main__":
    sys.exit(main())
