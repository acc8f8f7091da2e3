from posapp.embedded import running


def test_smoke(postgres):
    with running(postgres.data_dir) as url:
        assert url == postgres.url
