"""A part's face changes when those who look at it may see something else, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.check.checker import Checker
from tenure.check.config import Config
from tenure.check.face import Faces
from tenure.check.trace import EVERYBODY, Look

SOURCE = """\
import io
from elsewhere import thing

SIZE = 3

def make(path):
    return open(path)

def close(f):
    f.close()

class Base:
    def close(self):
        self.f.close()

class Keeper(Base):
    def __init__(self, path):
        self.f = open(path)
"""

#: A part, an edit that does not touch what others see of it, and one that does.
PARTS: list[tuple[Look, tuple[str, str], tuple[str, str]]] = [
    (("m", "name", "make"), ("open(path)", "path"), ("def make", "def made")),
    (("m", "name", "thing.part"), ("SIZE = 3", "SIZE = 4"), ("elsewhere import", "nowhere import")),
    (("m", "function", "make"), ("f.close()", "f.read()"), ("open(path)", "open(path, 'rb')")),
    (("m", "function", "make"), ("SIZE = 3", "\n\n\n\nSIZE = 3"), ("import io", "import io as open")),
    (("m", "gist", "make"), ("f.close()", "f.read()"), ("open(path)", "io.BytesIO(path)")),
    (("m", "summary", "close"), ("open(path)", "path"), ("f.close()", "f.read()")),
    (("m", "class", "Keeper"), ("f.close()\n\nclass", "f.read()\n\nclass"), ("        self.f.close()", "        pass")),
    (("m", "class", "Keeper"), ("return open(path)", "return path"), ("class Keeper(Base)", "class Keeper")),
    ((EVERYBODY, "closed", "f"), ("f.close()\n\nclass", "f.read()\n\nclass"), ("self.f.close()", "pass")),
]


def face(tmp_path: Path, look: Look, source: str) -> str:
    checker = Checker(Config())
    checker.learn([checker.load(source, tmp_path / "m.py")])
    return Faces(checker.summaries, str(tmp_path)).of(look)


@pytest.mark.parametrize(("look", "elsewhere", "here"), PARTS)
def test_a_face_changes_with_its_part_only(
    tmp_path: Path, look: Look, elsewhere: tuple[str, str], here: tuple[str, str]
) -> None:
    assert elsewhere[0] in SOURCE
    assert here[0] in SOURCE
    before = face(tmp_path, look, SOURCE)
    assert face(tmp_path, look, SOURCE.replace(*elsewhere, 1)) == before
    assert face(tmp_path, look, SOURCE.replace(*here, 1)) != before


@pytest.mark.parametrize(
    "look", [("m", "function", "f"), ("m", "class", "C"), ("m", "name", "n"), ("gone", "file", "")]
)
def test_what_is_not_there_has_an_empty_face(tmp_path: Path, look: Look) -> None:
    assert face(tmp_path, look, SOURCE) == ""


def test_a_package_looks_other_than_a_module(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "__init__.py").write_text("")
    faces = [face(tmp_path, (name, "file", ""), SOURCE) for name in ("m", "p")]
    assert faces == ["module", "package"]
