"""What a mistake says of a table leaves out what stands there under the names of secrets."""

import pytest

from healthkit._config.validation import quoted, without_secrets
from healthkit.masking import MASK


@pytest.mark.parametrize(
    ("table", "said", "shown"),
    [
        ({"password": "hunter2"}, "hunter2 is too short", f"{MASK} is too short"),
        ({"password": "hunter2"}, "'hunter2'", f"'{MASK}'"),
        ({"password": "hun'\\\n"}, repr("hun'\\\n")[1:-1], MASK),
        ({"password": "abcd"}, "abcd", MASK),
        ({"password": "abc"}, "abc or abd", "abc or abd"),
        ({"password": 4711}, "4711", MASK),
        ({"password": "abcdef", "token": "abcd"}, "abcdef", MASK),
        ({"api_key": ["first-1", ("second-2",)]}, "first-1, second-2", f"{MASK}, {MASK}"),
        ({"auth": {"password": {"of": "hunter2"}}}, "hunter2", MASK),
        ({"name": "visible", "size": 4711}, "visible 4711", "visible 4711"),
        ("no table", "no table", "no table"),
    ],
)
def test_no_secret_of_a_table_stands_in_what_is_said_of_it(table, said, shown):
    assert without_secrets(said, table) == shown


def test_a_name_that_nothing_has_is_cut_after_a_hundred_signs():
    assert quoted("x" * 100) == repr("x" * 100)
    assert len(quoted("x" * 101)) == len(quoted("x" * 100))
    assert quoted("x" * 101) != repr("x" * 101)
