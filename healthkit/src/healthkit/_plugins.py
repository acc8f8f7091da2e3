"""Finds plugins, validates what they return, and keeps one that fails from harming the rest."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import Distribution, distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from healthkit import _builtin, _hookspecs, _outcomes
from healthkit.errors import ConfigError, ConfigProblem
from healthkit.masking import one_line

log = logging.getLogger("healthkit")

ENTRY_POINTS = "healthkit"


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A plugin as `healthkit plugins` lists it. `error` is why one is not in use."""

    name: str
    version: str
    offers: tuple[str, ...]
    error: str | None = None


class PluginManager:
    """The plugins of one Health object; never global.

    `plugins` are handed in, `directory` holds further ones as `*.py`, and `entry_points` are the
    installed ones. Raises ConfigError when `directory` is not a directory.
    """

    def __init__(
        self,
        plugins: Iterable[Any] = (),
        directory: Path | None = None,
        *,
        entry_points: bool = True,
    ) -> None:
        self._manager = pluggy.PluginManager(_hookspecs.NAMESPACE)
        self._manager.add_hookspecs(_hookspecs)
        self._versions: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._register("builtin", _builtin, "")
        for plugin in plugins:
            name = getattr(plugin, "__name__", None) or type(plugin).__name__
            if self._manager.has_plugin(name):
                name = f"{name}-{id(plugin):x}"
            self._register(name, plugin, "handed in")
        if entry_points:
            self._load_installed()
        if directory is not None:
            self._load_directory(directory)

    # Results of hooks

    def check_types(self) -> dict[str, type[Any]]:
        """Returns the class of each type name; of two with one name, the first registered."""
        types: dict[str, type[Any]] = {}
        for plugin, result in self._call("healthkit_check_types"):
            if not isinstance(result, Mapping):
                self._fail(plugin, "healthkit_check_types did not return a mapping")
                continue
            try:
                for name, cls in result.items():
                    if not (isinstance(cls, type) and callable(getattr(cls, "run", None))):
                        self._fail(plugin, f"check type {name!r} is not a class with run()")
                    else:
                        types.setdefault(str(name), cls)
            except BaseException as error:  # noqa: BLE001  a plugin's objects may raise anything
                self._fail(plugin, "healthkit_check_types:", error)
        return types

    def call_each(self, hook: str) -> list[tuple[str, Any]]:
        """Returns each plugin's name and result, in order of registration; None is left out."""
        return [(plugin, result) for plugin, result in self._call(hook) if result is not None]

    def failures_of(self, hook: str) -> dict[str, str]:
        """Returns the plugins that raised in a hook, with the error."""
        return {
            plugin: error.removeprefix(f"{hook} ")
            for plugin, error in self._failed.items()
            if error.startswith(f"{hook} raised")
        }

    def call_all(self, hook: str, **arguments: Any) -> list[Any]:
        """Returns the results of a hook in order of registration; None is left out."""
        return [result for _, result in self._call(hook, **arguments) if result is not None]

    def implements(self, hook: str) -> bool:
        """Whether any plugin implements a hook."""
        return bool(self._implementations(hook))

    def register_each(self, hook: str, register: Callable[[Any], None]) -> None:
        """Calls `register` with each plugin's result that is not None, and names the plugin for
        which it raises."""
        for plugin, result in self.call_each(hook):
            try:
                register(result)
            except BaseException as error:  # noqa: BLE001  a plugin may return anything
                self._fail(plugin, f"{hook}:", error)

    def list_plugins(self) -> list[PluginInfo]:
        """Returns all plugins, with those that failed and why."""
        found = []
        for name, plugin in self._manager.list_name_plugin():
            if plugin is not None:
                hooks = self._manager.get_hookcallers(plugin) or []
                offers = tuple(sorted(hook.name.removeprefix("healthkit_") for hook in hooks))
                version = self._versions.get(name, "")
                found.append(PluginInfo(name, version, offers, self._failed.get(name)))
        names = {info.name for info in found}
        found += [
            PluginInfo(name, self._versions.get(name, ""), (), error)
            for name, error in self._failed.items()
            if name not in names
        ]
        return found

    @property
    def failures(self) -> Mapping[str, str]:
        """Plugins that raised or returned nonsense, with the error."""
        return dict(self._failed)

    # Calls and registration

    def _call(self, hook: str, **arguments: Any) -> Sequence[tuple[str, Any]]:
        """Calls each implementation by itself, so that one that raises stops no other."""
        results = []
        for implementation in self._implementations(hook):
            name = implementation.plugin_name
            wanted = {key: arguments[key] for key in implementation.argnames if key in arguments}
            try:
                results.append((name, implementation.function(**wanted)))
            except BaseException as error:  # noqa: BLE001  a plugin may raise anything
                self._fail(name, f"{hook} raised", error)
        return results

    def _implementations(self, hook: str) -> list[Any]:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller.get_hookimpls()

    def _fail(self, plugin: str, reason: str, error: BaseException | None = None) -> None:
        if error is not None:
            reason = f"{reason} {_outcomes.of_exception(error).message}"
        self._failed[plugin] = one_line(" ".join(reason.split()))
        log.warning("plugin %s: %s", plugin, self._failed[plugin])
        log.debug("plugin %s", plugin, exc_info=True)

    def _register(self, name: str, plugin: Any, version: str) -> None:
        self._versions[name] = version
        if self._manager.is_registered(plugin):
            return
        try:
            self._manager.register(plugin, name=name)
        except BaseException as error:  # noqa: BLE001  a plugin may raise anything
            self._fail(name, "not registered:", error)
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)

    def _load_installed(self) -> None:
        seen: set[str] = set()
        for distribution in distributions():
            for entry in distribution.entry_points:
                if entry.group == ENTRY_POINTS and entry.name not in seen:
                    seen.add(entry.name)
                    self._load(entry.name, _version(distribution), entry.load)

    def _load_directory(self, directory: Path) -> None:
        if not directory.is_dir():
            problem = ConfigProblem("--plugins-dir", f"{directory} is not a directory")
            raise ConfigError("command line", [problem])
        for path in sorted(directory.glob("*.py")):
            self._load(path.stem, f"file {path.name}", partial(_import_file, path))

    def _load(self, name: str, version: str, load: Callable[[], Any]) -> None:
        self._versions[name] = version
        try:
            plugin = load()
        except BaseException as error:  # noqa: BLE001  a plugin may raise anything
            self._fail(name, "not loaded:", error)
        else:
            self._register(name, plugin, version)


def _version(distribution: Distribution) -> str:
    return f"{distribution.name} {distribution.version}"


def _import_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"healthkit_plugin_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
