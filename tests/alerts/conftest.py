"""A store on each database that there is, and watchers on it."""

import itertools

import pytest

from healthkit.store import Store

_numbers = itertools.count()


@pytest.fixture
def postgres_url(postgres):
    """A plain `postgresql://` URL of an empty database, as people write it."""
    name = f"healthkit_{next(_numbers)}"
    url = postgres.create(name).set(drivername="postgresql")
    yield url.render_as_string(hide_password=False)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(store_url):
    store = Store(store_url)
    yield store
    store.close()
