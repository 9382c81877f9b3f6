"""Where a model comes from: from the ones that come with tenure, from a file, or from a module."""

from __future__ import annotations

import importlib
import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from tenure.explore.boxed import Boxed
from tenure.explore.model import Model
from tenure.explore.resource import Cast, Resource

__all__ = ["BUILT_IN", "UnknownModel", "load"]


class UnknownModel(ValueError):
    """No model is to be had under that name; says what was looked for and how one is named."""


def _lifecycle(**who: Any) -> Resource:
    return Resource(Cast(**who))


#: The models that come with tenure, by name.
BUILT_IN: Final[dict[str, Callable[..., Any]]] = {"boxed": Boxed, "lifecycle": _lifecycle}

_MEMBERS: Final = ("threads", "starts", "steps", "broken", "broken_at_end", "outcome", "name")


def load(name: str, settings: Mapping[str, object]) -> Model[Any]:
    """The model that ``name`` names: ``lifecycle``, ``file.py:Name`` or ``package.module:Name``.

    ``Name`` is a model, or what makes one (a class, a function), which is called with ``settings``.
    """
    maker = BUILT_IN.get(name) or _found(name)
    made: Any = _made(name, maker, settings) if isinstance(maker, type) or not _is_model(maker) else maker
    missing = [member for member in _MEMBERS if not hasattr(made, member)]
    if missing:
        raise UnknownModel(f"{name} is no model: it has no {', '.join(missing)}")
    return cast(Model[Any], made)


def _is_model(candidate: object) -> bool:
    return all(hasattr(candidate, member) for member in _MEMBERS)


def _made(name: str, maker: Any, settings: Mapping[str, object]) -> Any:
    if not callable(maker):
        raise UnknownModel(f"{name} is no model, and nothing that makes one: it is a {type(maker).__name__}")
    try:
        return maker(**settings)
    except TypeError as error:
        raise UnknownModel(f"{name} cannot be made with {_listed(settings)}: {error}") from error


def _listed(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items()) or "no settings"


def _found(name: str) -> Any:
    place, colon, attribute = name.rpartition(":")
    if not colon:
        known = ", ".join(sorted(BUILT_IN))
        raise UnknownModel(f"there is no model {name!r}; known are {known}, file.py:Name and package.module:Name")
    names = _file(place) if place.endswith(".py") else _module(place)
    if attribute not in names:
        raise UnknownModel(f"{place} has no {attribute!r}")
    return names[attribute]


def _file(place: str) -> Mapping[str, Any]:
    if not Path(place).is_file():
        raise UnknownModel(f"there is no file {place}")
    try:
        return runpy.run_path(place)
    except Exception as error:
        raise UnknownModel(f"{place} cannot be run: {type(error).__name__}: {error}") from error


def _module(place: str) -> Mapping[str, Any]:
    try:
        return vars(importlib.import_module(place))
    except ImportError as error:
        raise UnknownModel(f"{place} cannot be imported: {error}") from error
