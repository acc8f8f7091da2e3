"""The restaurant's own menu: CSV or JSON, every mistake by its row, all or nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.features.seed import menu_csv
from posapp.features.seed.menu_csv import TEMPLATE, template
from posapp.features.seed.menu_file import LARGEST_FILE, MenuFileError, read_menu

HEAD = "kind,name,name_en,price,of,groups,min,max\n"
GOOD = json.loads(template("json"))


@pytest.fixture
def read(tmp_path):
    def read(content, name="menu.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_menu(path)

    return read


@pytest.fixture
def mistakes(read):
    def mistakes(content, name="menu.csv"):
        with pytest.raises(MenuFileError) as refused:
            read(content, name)
        return [line.removeprefix(f"{name}: ") for line in refused.value.lines()]

    return mistakes


def test_the_template_is_a_menu_in_both_forms(read):
    as_csv, as_json = read(template("csv")), read(template("json"), "menu.json")
    assert as_csv == as_json
    steak, _ = as_csv.category_seeds()
    (sirloin,) = steak[2]
    assert (sirloin.name, sirloin.english, sirloin.price) == (
        "Sirloin Lokal",
        "Local Sirloin",
        89_000,
    )
    assert sirloin.variants == (("150 g", "150 g", 89_000), ("200 g", "200 g", 115_000))
    assert sirloin.modifier_groups == ("Kematangan", "Tambahan")
    doneness = as_csv.group_seeds()["Kematangan"]
    assert (doneness.minimum, doneness.maximum, len(doneness.options)) == (1, 1, 2)


def test_a_table_as_spreadsheets_write_it_is_the_same_menu(read):
    expected = read(TEMPLATE)
    assert read(TEMPLATE.replace(",", ";")) == expected
    assert read("\ufeff" + TEMPLATE.replace("\n", "\r\n")) == expected
    assert read(TEMPLATE + ",,,,,,,\n\n") == expected
    assert read(TEMPLATE, "MENU.CSV") == expected


def test_english_may_be_left_out(read):
    menu = read(HEAD + "category,Kopi,,,,,,\nproduct,Tubruk,,15000,Kopi,,,\n")
    assert menu.category_seeds()[0][:2] == ("Kopi", "Kopi")


CATEGORY = "category,Kopi,,,,,,\n"
PRODUCT = "product,Tubruk,,15000,Kopi,,,\n"


@pytest.mark.parametrize(
    ("rows", "mistake"),
    [
        (CATEGORY + "product,Tubruk,,15.000,Kopi,,,\n", "row 3: price: must be a whole number"),
        (CATEGORY + "product,Tubruk,,-5,Kopi,,,\n", "row 3: price: must be a whole number"),
        (CATEGORY + "product,Tubruk,,,Kopi,,,\n", "row 3: price: must be a whole number"),
        (CATEGORY + "product,Tubruk,,9999999999,Kopi,,,\n", "row 3: price: "),
        (CATEGORY + "product,,,1,Kopi,,,\n", "row 3: name: is missing"),
        (CATEGORY + f"product,{'x' * 101},,1,Kopi,,,\n", "row 3: name: "),
        (CATEGORY + "product,a\x07b,,1,Kopi,,,\n", "row 3: name: must not contain control"),
        (CATEGORY + PRODUCT + "dish,x,,,,,,\n", "row 4: kind: must be one of group, option"),
        (CATEGORY + PRODUCT + "variant,Besar,,1,Kopi,,,\n", "row 4: of: there is no product"),
        (PRODUCT + CATEGORY + PRODUCT, "row 2: of: there is no category 'Kopi' above it"),
        (CATEGORY + PRODUCT + PRODUCT, "row 4: name: 'Tubruk' is there twice"),
        (CATEGORY + PRODUCT + CATEGORY + PRODUCT, "row 4: name: 'Kopi' is there twice"),
        (CATEGORY + PRODUCT + "category,Teh,,,,,,\n", "row 4: products: is missing"),
        (CATEGORY + PRODUCT + "group,Gula,,,,,0,1\n", "row 4: options: is missing"),
        (
            "group,Gula,,,,,2,1\noption,A,,0,Gula,,,\n" + CATEGORY + PRODUCT,
            "row 2: min: is more than max (1)",
        ),
        (
            "group,Gula,,,,,0,3\noption,A,,0,Gula,,,\n" + CATEGORY + PRODUCT,
            "row 2: max: is more than there are options (1)",
        ),
        (CATEGORY + "product,Tubruk,,1,Kopi,Gula,,\n", "row 3: groups: there is no group 'Gula'"),
        (CATEGORY + "product,Tubruk,,1,Kopi,,1,\n", "row 3: min: must be empty for a product"),
        (CATEGORY + PRODUCT + "category,a,b,c,d,e,f,g,h\n", "row 4: has 9 cells, not 8"),
        (CATEGORY + PRODUCT + 'category,"a\n', "row 4: is no CSV"),
    ],
)
def test_a_mistake_in_a_table_is_named_by_its_row(mistakes, rows, mistake):
    assert any(line.startswith(mistake) for line in mistakes(HEAD + rows)), mistakes(HEAD + rows)


def test_all_mistakes_are_named_at_once_and_bounded(mistakes):
    rows = "".join(f"product,P{n},,x,Kopi,,,\n" for n in range(50))
    named = mistakes(HEAD + CATEGORY + rows + "dish,x,,,,,,\n")
    assert len(named) == 21
    assert named[0] == "row 53: kind: must be one of group, option, category, product, variant"
    assert named[1].startswith("row 3: price: ")
    assert named[-1] == "and 31 more; nothing was written"


def test_a_head_that_is_another_is_named_with_the_right_one(mistakes):
    (line,) = mistakes("kind,nama,harga\n")
    assert "row 1: must be the columns kind,name,name_en,price" in line
    assert "missing name, name_en" in line
    assert mistakes("")[0].startswith("row 1: ")


@pytest.mark.parametrize(
    ("place", "value", "mistake"),
    [
        (("categories", 0, "products", 0, "price"), "89000", "categories.0.products.0.price: must"),
        (("categories", 0, "products", 0, "price"), 1.5, "categories.0.products.0.price: must"),
        (("categories", 0, "products", 0, "price"), True, "categories.0.products.0.price: must"),
        (("categories", 0, "colour"), "red", "categories.0.colour: unknown field"),
        (("categories",), [], "categories: is missing"),
        (("groups", 0, "min"), 2, "groups.0.min: is more than max (1)"),
        (("categories", 1, "name"), "steak", "categories.1.name: 'steak' is there twice"),
        (("categories", 0, "products", 0, "groups"), ["X"], "categories.0.products.0.groups: "),
    ],
)
def test_a_mistake_in_json_is_named_by_its_place(mistakes, place, value, mistake):
    menu = json.loads(template("json"))
    *way, last = place
    target = menu
    for step in way:
        target = target[step]
    target[last] = value
    named = mistakes(json.dumps(menu), "menu.json")
    assert any(line.startswith(mistake) for line in named), named


@pytest.mark.parametrize(
    ("content", "name", "mistake"),
    [
        ("{", "menu.json", "row 1: is no JSON"),
        ("[" * 100_000, "menu.json", "is no JSON of a menu"),
        ("[]", "menu.json", "the file: "),
        (
            '{"categories": [], "categories": []}',
            "menu.json",
            "'categories' is there twice in one object",
        ),
        ("x", "menu.xlsx", "must end in .csv or .json; see: posapp seed --template csv"),
        (b"\xff\xfe", "menu.csv", "is not UTF-8; save it as CSV UTF-8"),
        (b"x" * (LARGEST_FILE + 1), "menu.csv", "is larger than 2 MB"),
    ],
    ids=["open", "deep", "list", "twice", "spreadsheet", "utf-16", "large"],
)
def test_a_file_that_is_none_is_one_line(mistakes, content, name, mistake):
    (line,) = mistakes(content, name)
    assert line.startswith(mistake)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(MenuFileError, match="no such file"):
        read_menu(tmp_path / "menu.csv")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["groups", "categories", "products", "options", "name", "price"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_json_is_a_traceback(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(data))
    with pytest.raises(MenuFileError) as refused:
        read_menu(path)
    assert refused.value.lines()


@given(st.text(alphabet='abc,;|"\n\r\x00 0159', max_size=200))
def test_no_table_is_a_traceback(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes((HEAD + text).encode())
    with pytest.raises(MenuFileError) as refused:
        read_menu(path)
    assert refused.value.lines()


def test_rows_are_those_of_the_file_also_after_a_cell_of_two_lines():
    text = HEAD + 'category,"Kopi\nTeh",,,,,,\nproduct,Tubruk,,x,Kopi,,,\n'
    _, rows, found = menu_csv.parse(text)
    assert rows == {("categories", 0): 3}
    assert found[0].startswith("row 4: ")
