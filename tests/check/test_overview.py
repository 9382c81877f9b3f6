"""What is known by bare name, of modules that were read and of those that need not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.check.checker import Checker
from tenure.check.config import Config
from tenure.check.overview import Bystander, Outline, Overview

POOL = "class Pool:\n    def get_file(self, path):\n        return open(path)\n"
OTHER = "class Other:\n    def get_file(self, path):\n        return None\n"


def overview(tmp_path: Path, *sources: str, bystanders: tuple[Bystander, ...] = ()) -> tuple[Checker, Overview]:
    checker = Checker(Config())
    checker.learn([checker.load(s, tmp_path / f"m{n}.py") for n, s in enumerate(sources)], bystanders)
    return checker, checker.summaries.overview


def bystander(tmp_path: Path, outline: Outline, text: str = "") -> Bystander:
    (tmp_path / "by.py").write_text(text)
    return Bystander(str(tmp_path), "by", True, (), outline, lambda: text)


def test_factories_and_those_who_hand_out_what_they_make_are_learnt(tmp_path: Path) -> None:
    _, known = overview(tmp_path, "def outer(p):\n    return inner_one(p)\n\ndef inner_one(p):\n    return open(p)\n")
    assert known.learned == {"inner_one", "outer"}


def test_an_owning_class_is_learnt_with_the_name_it_has_in_its_own_methods(tmp_path: Path) -> None:
    source = (
        "class K:\n    def __init__(self, p):\n        self.f = open(p)\n    def close(self):\n        self.f.close()\n"
    )
    assert overview(tmp_path, source)[1].learned == {"K", "cls"}


def test_a_method_is_known_by_name_if_one_class_only_has_it(tmp_path: Path) -> None:
    checker, known = overview(tmp_path, POOL)
    asker = next(module for module in checker.project.modules.values() if module is not None)
    found = known.only_factory("get_file", asker)
    assert found is not None
    assert found.qualname == "Pool.get_file"
    assert overview(tmp_path, POOL, OTHER)[1].only_factory("get_file", asker) is None


@pytest.mark.parametrize("name", ["get_file", "read"])
def test_a_method_that_opens_nothing_is_not_known_by_name(tmp_path: Path, name: str) -> None:
    checker, known = overview(tmp_path, OTHER)
    asker = next(module for module in checker.project.modules.values() if module is not None)
    assert known.only_factory(name, asker) is None


def test_a_bystander_is_taken_at_its_word(tmp_path: Path) -> None:
    told = bystander(tmp_path, Outline(("get_file", "make"), ("Other.get_file",)), OTHER)
    checker, known = overview(tmp_path, POOL, "def use(p):\n    return make(p)\n", bystanders=(told,))
    assert {"get_file", "make"} <= known.learned
    assert known.only_bearer(str(tmp_path), "get_file") == ("", "")
    assert (str(tmp_path), "by") not in checker.project.modules


def test_somebody_closes_an_attribute_wherever_it_is_written(tmp_path: Path) -> None:
    told = bystander(tmp_path, Outline((), ()), "a.g.close()\n")
    _, known = overview(tmp_path, "x.f.close()\n", bystanders=(told,))
    assert [known.somebody_closes(name) for name in "fgh"] == [True, True, False]


def test_an_outline_tells_what_a_module_opens_and_its_methods_of_such_names(tmp_path: Path) -> None:
    checker, known = overview(tmp_path, POOL, OTHER)
    outlines = [known.outline(module) for module in checker.project.modules.values() if module is not None]
    assert outlines == [Outline(("get_file",), ("Pool.get_file",)), Outline((), ("Other.get_file",))]


def test_an_attribute_of_self_is_closed_by_those_only_who_have_heard_of_the_class(tmp_path: Path) -> None:
    texts = {
        "stranger": "class Other:\n    def close(self):\n        self.f.close()\n",
        "namesake": "class Log:\n    def close(self):\n        self.g.close()\n",
        "heir": "from log import Log\n\nclass Book(Log):\n    def close(self):\n        self.h.close()\n",
    }
    checker = Checker(Config())
    modules = [checker.load(text, tmp_path / f"{name}.py") for name, text in texts.items()]
    checker.learn(modules)
    closed = [checker.summaries.overview.somebody_closes(f"Log.{name}") for name in "fgh"]
    assert closed == [False, False, True]


def test_another_copy_of_a_package_closes_nothing_of_this_one(tmp_path: Path) -> None:
    closing = "class Log:\n    def close(self):\n        self.f.close()\n\nLog().close()\n"
    texts = {"old": "class Log:\n    pass\n", "new": closing}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.py").write_text(text)
    checker = Checker(Config())
    checker.learn([checker.load(text, tmp_path / name / "log.py") for name, text in texts.items()])
    known = checker.summaries.overview
    assert not known.somebody_closes("Log.f", str(tmp_path / "old"))
    assert known.somebody_closes("Log.f", str(tmp_path / "new"))


def test_the_tests_of_a_package_close_what_is_in_it(tmp_path: Path) -> None:
    texts = {"src": "class Log:\n    pass\n", "tests": "def test(log):\n    log.f.close()\n"}
    checker = Checker(Config())
    checker.learn([checker.load(text, tmp_path / name / f"{name}_log.py") for name, text in texts.items()])
    assert checker.summaries.overview.somebody_closes("Log.f", str(tmp_path / "src"))
