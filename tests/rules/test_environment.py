"""The environment is read in one place."""

import ast
from pathlib import Path

from posapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
READERS = ("environ", "getenv", "environb")
ALLOWED = {
    # What prometheus_client itself reads, which we set.
    "PROMETHEUS_MULTIPROC_DIR",
    # Set by gunicorn for the program that takes over from it.
    "GUNICORN_PID",
}


def variables_read(tree):
    """Names that a module takes from the environment by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            target, name = node.value, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("get", "pop", "setdefault"):
                target = node.func.value
            elif node.func.attr == "getenv":
                target = node.func
            else:
                continue
            name = node.args[0] if node.args else None
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            target, name = node.comparators[0], node.left
        else:
            continue
        of_process = isinstance(target, ast.Attribute) and target.attr in READERS
        if of_process and isinstance(target.value, ast.Name) and target.value.id == "os":
            yield ast.literal_eval(name) if isinstance(name, ast.Constant) else ast.unparse(name)


def test_no_module_but_the_settings_reads_a_variable():
    modules = [*(ROOT / "posapp").rglob("*.py"), *(ROOT / "deploy").rglob("*.py")]
    assert len(modules) > 80
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules
        if "node_modules" not in path.parts
        for name in variables_read(ast.parse(path.read_text()))
        if name not in ALLOWED
    }
    assert found == set()


def test_the_rule_sees_every_way_to_read_one():
    code = "os.environ['A']; os.environ.get('B'); os.getenv('C'); 'D' in os.environ; environ['E']"
    assert sorted(variables_read(ast.parse(code))) == ["A", "B", "C", "D"]


def test_the_settings_have_a_field_for_each_variable_of_the_server():
    for name in ("PORT", "BIND", "WEB_CONCURRENCY", "LOG_LEVEL", "GRACEFUL_TIMEOUT"):
        assert name.lower() in Settings.model_fields
