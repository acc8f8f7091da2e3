"""The mount for Django, and where it has its configuration from."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.test import override_settings

from healthkit.web import django as django_mount


def test_django_is_told_what_is_missing_or_wrong(tmp_path):
    config = tmp_path / "healthkit.toml"
    config.write_text('[service]\nname = "Shop"\n[statsu]\n')
    for setting, said in [(None, "HEALTHKIT_CONFIG is not set"), (config, "did you mean status")]:
        with (
            override_settings(HEALTHKIT_CONFIG=setting),
            pytest.raises(ImproperlyConfigured, match=said),
        ):
            get_wsgi_application()


@pytest.mark.parametrize("kind", ["file", "document"])
def test_django_reads_its_configuration_from_its_settings(tmp_path, kind):
    document = {"service": {"name": "Shop", "version": "7"}}
    config = tmp_path / "healthkit.toml"
    config.write_text('[service]\nname = "Shop"\nversion = "7"\n')
    with override_settings(HEALTHKIT_CONFIG=config if kind == "file" else document):
        health = django_mount.health()
        assert health is django_mount.health(), "one in a process"
        assert json.loads(health.response().body)["version"] == "7"
