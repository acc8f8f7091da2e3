"""All processes together never want more connections than the server has."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.runtime.connections import RESERVED, Layout, shortage

small = st.integers(1, 12)
layouts = st.builds(
    Layout,
    backends=small,
    workers=small,
    pool=st.integers(1, 60),
    shared_store=st.booleans(),
    rolling=st.integers(0, 2),
)


def test_three_backends_of_two_workers_with_the_default_pool_are_too_many_for_a_hundred():
    said = shortage(Layout(backends=3, workers=2, pool=25), max_connections=100)
    assert said is not None
    assert "max_connections=100" in said
    assert "\n" not in said


@given(layouts, st.integers(10, 3000))
def test_what_the_shortage_advises_does_fit_and_a_little_less_does_not(layout, limit):
    said = shortage(layout, limit)
    if said is None:
        assert layout.needed + RESERVED <= limit
        return
    wanted = int(re.findall(r"max_connections=(\d+)", said)[-1])
    assert shortage(layout, wanted) is None
    assert shortage(layout, wanted - 1) is not None
    for pool in map(int, re.findall(r"set DB_MAX_OPEN_CONNS=(\d+)", said)):
        fields = {name: getattr(layout, name) for name in ("backends", "workers", "rolling")}
        store = layout.shared_store
        assert shortage(Layout(pool=pool, shared_store=store, **fields), limit) is None
        assert shortage(Layout(pool=pool + 1, shared_store=store, **fields), limit) is not None


@given(layouts, st.sampled_from(["backends", "workers", "pool", "rolling"]))
def test_more_of_anything_never_needs_fewer(layout, grown):
    values = {
        name: getattr(layout, name)
        for name in ("backends", "workers", "pool", "shared_store", "rolling")
    }
    assert Layout(**{**values, grown: values[grown] + 1}).needed > layout.needed


@pytest.mark.parametrize("limit", [0, 5, 20])
def test_where_not_even_one_connection_fits_no_pool_is_advised(limit):
    said = shortage(Layout(backends=3, workers=2, pool=25), limit)
    assert said is not None
    assert "set DB_MAX" not in said
