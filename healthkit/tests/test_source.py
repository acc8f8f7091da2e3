"""The text of a configuration: what is read of it, how deep, and on which line a key stands."""

import tomllib

import pytest

from healthkit import ConfigError
from healthkit._config.source import expand, line_numbers, line_of, read


def nested(depth, make):
    value = "${GONE}"
    for level in range(depth):
        value = make(value, level)
    return value


def in_tables(value, _):
    return {"k": value}


def in_lists(value, _):
    return [value]


def in_both(value, level):
    return {"k": value} if level % 2 else [value]


@pytest.mark.parametrize("make", [in_tables, in_lists, in_both])
def test_fifty_tables_and_lists_within_each_other_are_read_and_one_more_is_a_mistake(make):
    problems = []
    expand(nested(50, make), {}, problems)
    assert ["GONE is not set" in one.message for one in problems] == [True]
    problems = []
    expand(nested(51, make), {}, problems)
    assert [one.message for one in problems] == ["deeper than 50 levels"]


def test_the_path_of_what_is_too_deep_is_cut_at_a_hundred_characters():
    problems = []
    expand(nested(51, lambda value, _: {"abc": value}), {}, problems)
    assert problems[0].key == ("abc." * 51)[:100]
    assert len(problems[0].key) == 100


def test_a_file_of_ten_megabytes_is_read_and_one_byte_more_is_not(tmp_path):
    file = tmp_path / "healthkit.toml"
    file.write_bytes(b"a = 1\n#" + b"x" * (10_000_000 - 7))
    assert read(file)[0] == {"a": 1}
    file.write_bytes(b"a = 1\n#" + b"x" * (10_000_000 - 6))
    with pytest.raises(ConfigError, match="cannot be read: larger than 10 MB"):
        read(file)


def test_a_folder_in_place_of_the_file_is_named_as_one(tmp_path):
    with pytest.raises(ConfigError) as refused:
        read(tmp_path)
    assert refused.value.lines() == [f"{tmp_path}: cannot be read: Is a directory"]


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ('a = """\n# still text """\n[real]\n', "real", 3),
        ('# a comment with """\n[real]\n', "real", 2),
        ('a = """\n[no]\n"""\n[real]\n', "real", 4),
        ("a = [\n  [1], [2],\n]\nb = 1\n", "b", 4),
        ("[a]\nx = [\n  [1], # 2\n  [3],\n]\ny = 1\n", "a.y", 6),
        ("[checks.'a b']\nx = 1\n", "checks.a b.x", 2),
        ('[checks."a b"]\nx = 1\n', "checks.a b.x", 2),
        ("[ checks . disk ] # here\nx = 1\n", "checks.disk.x", 2),
        ("[checks.disk]\n x . y = 1\n", "checks.disk.x.y", 2),
        ("[checks.disk]\n'x y' = 1\n", "checks.disk.x y", 2),
    ],
)
def test_a_key_stands_where_it_stands_whatever_is_around_it(text, key, line):
    assert line_of(key, line_numbers(text)) == line


VALUES = [
    "[\n  [1],\n  [2]\n]",
    "[\n  [1]\n]",
    '[\n  "]", # ]\n  "x = [",\n  ["\\"]", \']\'],\n]',
    '["[", 1]',
    "'[' # [",
    '"""[\n\\"""[x]\n"""',
    "'''[\n[y]\n\"\"\"'''",
    '[\n"""\n]\n[z]""", ' + "'''\n]''',\n[]\n]",
    '[\n  {c = [\n1\n]},\n  {c = "]"}\n]',
    '""',
    "[]",
]


@pytest.mark.parametrize("value", VALUES)
def test_a_key_behind_any_value_stands_where_it_stands_and_nothing_in_the_value_is_a_key(value):
    text = f"[t]\na = {value} # [\nb = 1\n[[u]]\nd = {value}\n"
    assert set(tomllib.loads(text)) == {"t", "u"}
    size = value.count("\n")
    assert line_numbers(text) == {"t": 1, "t.a": 2, "t.b": 3 + size, "u": 4 + size, "u.d": 5 + size}


def test_what_lies_within_a_text_or_a_list_is_the_line_of_nothing():
    assert "no" not in line_numbers('a = """\n[no]\n"""\n')
    assert set(line_numbers("a = [\n  [1], [2],\n]\nb = 1\n")) == {"a", "b"}
