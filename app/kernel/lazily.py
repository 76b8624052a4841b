"""Modules that only one of the databases needs, or few requests: loaded when something of them is first asked for."""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def lazily(name: str) -> ModuleType:
    """Give a module that loads itself (the recipe of `importlib`'s documentation)."""
    if name in sys.modules:
        return sys.modules[name]
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name=name)
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    package, _, inner = name.rpartition(".")
    if package:
        setattr(sys.modules[package], inner, module)
    return module
