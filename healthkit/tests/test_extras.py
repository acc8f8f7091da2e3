"""What an extra brings is asked for in one line that names it."""

import subprocess
import sys

import pytest


def without(module, code):
    """The last line of stderr of a process that cannot import `module`."""
    code = f"import sys; sys.modules['{module}'] = None\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("module", "code", "line"),
    [
        (
            "flask",
            "import healthkit.web.flask",
            "ImportError: healthkit.web.flask needs Flask: pip install 'healthkit-core[flask]'",
        ),
        (
            "django",
            "import healthkit.web.django",
            "ImportError: healthkit.web.django needs Django: pip install 'healthkit-core[django]'",
        ),
        (
            "aiohttp",
            "import healthkit.web.aiohttp",
            "ImportError: healthkit.web.aiohttp needs aiohttp: pip install"
            " 'healthkit-core[aiohttp]'",
        ),
        (
            "opentelemetry",
            "import healthkit.otel",
            "ImportError: healthkit.otel needs opentelemetry-api: pip install"
            " 'healthkit-core[otel]'",
        ),
        (
            "waitress",
            "from healthkit.cli._serve import _waitress; _waitress()",
            "healthkit.cli._serve.ServeError: healthkit serve needs waitress: pip install"
            " 'healthkit-core[serve]'",
        ),
        (
            "psycopg2",
            "sys.modules['psycopg'] = None\n"
            "from healthkit._store.database import Store; Store('postgresql://u@h/d')",
            "healthkit.errors.StoreError: store.url: its driver 'psycopg2' is not installed:"
            " pip install 'healthkit-core[postgres]'",
        ),
    ],
)
def test_a_missing_extra_is_one_line_that_names_what_to_install(module, code, line):
    assert without(module, code) == line
