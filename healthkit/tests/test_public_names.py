"""The public face: what it is, what it costs, and that others use nothing else.

`python healthkit/tests/test_public_names.py` writes public_names.txt anew.
"""

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import pytest

import healthkit

LIST = Path(__file__).with_name("public_names.txt")
MODULES = (
    "healthkit",
    "healthkit.cli",
    "healthkit.connections",
    "healthkit.errors",
    "healthkit.fields",
    "healthkit.masking",
    "healthkit.testing",
    "healthkit.testing.conformance",
    "healthkit.testing.linear",
    "healthkit.watch",
    "healthkit.web.access",
    "healthkit.web.aiohttp",
    "healthkit.otel",
    "healthkit.web.asgi",
    "healthkit.web.django",
    "healthkit.web.flask",
    "healthkit.web.wsgi",
)
HEAVY = ("sqlalchemy", "jinja2", "requests", "apprise", "prometheus_client", "flask", "click")
OTHERS = ("posapp", "plugins", "tests", "benchmarks", "deploy", "tools")
"""What stands beside healthkit in a checkout."""
OF_HEALTHKIT = {"tools/configuration.py"}
"""What writes a document of healthkit itself from its own types: CONFIGURATION.md."""


def names(module):
    """The public names of a module: `__all__`, or what it defines without an underscore."""
    if (listed := getattr(module, "__all__", None)) is not None:
        return sorted(listed)
    tree = ast.parse(inspect.getsource(module))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign):
            found.add(node.target.id)
    public = (name for name in found if not name.startswith("_"))
    return sorted(name for name in public if not isinstance(getattr(module, name), TypeVar))


def describe(name, value):
    """Lines for one name: a class with its fields and methods, or a signature."""
    if inspect.isclass(value):
        bases = [base.__name__ for base in value.__bases__ if base is not object]
        yield f"class {name}({', '.join(bases)})" if bases else f"class {name}"
        members = vars(value)
        annotations = inspect.get_annotations(value)
        yield from (f"    {key}: {a}" for key, a in annotations.items() if key[0] != "_")
        for key, member in members.items():
            if key == "__init__" and not (annotations or getattr(value, "_is_protocol", False)):
                yield f"    {key}{inspect.signature(member)}"
            if key.startswith("_") or key in annotations:
                continue
            if isinstance(member, property):
                yield f"    {key} (property)"
            elif isinstance(member, classmethod | staticmethod):
                yield f"    {key}{inspect.signature(member.__func__)}"
            elif inspect.isfunction(member):
                yield f"    {key}{inspect.signature(member)}"
            elif isinstance(member, str):
                yield f"    {key} = {member.value!r}" if hasattr(member, "value") else f"    {key}"
    elif inspect.isfunction(value):
        yield f"{name}{inspect.signature(value)}"
    else:
        yield name


def computed():
    lines = []
    for module in map(import_module, MODULES):
        lines.append(f"[{module.__name__}]")
        for name in names(module):
            lines += describe(name, getattr(module, name))
        lines.append("")
    return "\n".join(lines)


def test_the_public_names_and_their_signatures_are_those_of_the_list():
    assert computed() == LIST.read_text(encoding="utf-8")


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Runner'"):
        _ = healthkit.Runner
    assert set(healthkit.__all__) <= set(dir(healthkit))


def loaded(code):
    """The heavy modules that a new process has loaded after `code`."""
    code += f"; import sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_library_loads_nothing_that_only_some_need():
    assert (
        loaded("import healthkit; [getattr(healthkit, name) for name in healthkit.__all__]") == []
    )


def test_checks_run_without_the_store_and_the_sender(tmp_path):
    code = (
        "from healthkit import Check, Health, Outcome, ServiceSettings, Settings, configure_check\n"
        "class Fine(Check):\n    def run(self, context): return Outcome.healthy()\n"
        "checks = [configure_check('fine', Fine())]\n"
        "health = Health(Settings(service=ServiceSettings(name='x'), checks=checks))\n"
        "assert health.check_once().status == 'healthy'\n"
        "health.response('prometheus'); pass"
    )
    assert loaded(code) == []


def imports(path):
    """(line, module) of all that a file imports, also where code stands in a string."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for word in node.value.replace(";", " ").replace(",", " ").split():
                if word.startswith("healthkit."):
                    yield node.lineno, word


def private(module):
    return module.split(".")[0] == "healthkit" and any(
        part.startswith("_") and not part.startswith("__") for part in module.split(".")
    )


def test_nothing_beside_healthkit_imports_what_is_private_to_it():
    root = Path(__file__).resolve().parents[2]
    folders = [root / name for name in OTHERS if (root / name).is_dir()]
    if not folders:
        pytest.skip("nothing stands beside healthkit here")
    files = [path for folder in folders for path in folder.rglob("*.py")]
    found = [
        f"{path.relative_to(root)}:{line}: {module}"
        for path in files
        if "node_modules" not in path.parts
        and path.relative_to(root).as_posix() not in OF_HEALTHKIT
        for line, module in imports(path)
        if private(module)
    ]
    assert found == []


if __name__ == "__main__":
    LIST.write_text(computed(), encoding="utf-8")
