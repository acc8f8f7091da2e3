"""A contract of import-linter for this repository: what a package keeps for itself."""

from __future__ import annotations

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.helpers import module_expressions_to_modules


class OwnModulesContract(Contract):
    """Each package of `owners` has a `module` that it alone imports, `readers` aside.

    `protected` needs a line for each package; this one holds a new package by its shape.
    """

    type_name = "own_modules"

    owners = fields.ListField(subfield=fields.ModuleExpressionField())
    module = fields.StringField()
    readers = fields.ListField(subfield=fields.ModuleField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        readers = {reader.name for reader in self.readers or ()}  # type: ignore[attr-defined]
        broken = []
        for owner in module_expressions_to_modules(graph, self.owners, as_packages=False):  # type: ignore[arg-type]
            own = f"{owner.name}.{self.module}"
            if own not in graph.modules:
                continue
            for importer in graph.find_modules_that_directly_import(own):
                if importer not in readers and not importer.startswith(f"{owner.name}."):
                    broken.append((importer, own))
        return ContractCheck(kept=not broken, metadata={"broken": sorted(broken)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        pairs: list[tuple[str, Any]] = check.metadata["broken"]
        for importer, own in pairs:
            output.print_error(f"{importer} must not import {own}: ask that package's service")
