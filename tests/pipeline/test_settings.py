"""Settings: what is set is what is meant, and whatever cannot be meant is named."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from tenure.pipeline.settings import BOUNDS, Settings, SettingsError, checked, load, parsed, shown


def loaded(here: Path, text: str) -> Settings:
    (here / "tenure.toml").write_text(text)
    return load(here / "tenure.toml")


def test_an_empty_file_is_the_defaults_with_paths_beside_it(here: Path) -> None:
    settings = loaded(here, "")
    assert settings.front == Settings().front
    assert settings.seal.key_file == str(here / "tenure.key")
    assert settings.directory == here / "tenure-data"


def test_what_is_shown_is_a_file_that_says_the_same() -> None:
    assert parsed(tomllib.loads(shown(Settings())), "here") == Settings()


def test_what_is_set_is_set(here: Path) -> None:
    settings = loaded(here, '[windows]\nwidth_seconds = 2\n[fields]\nvalues = ["a", "b"]\nsecret = []\n')
    assert (settings.windows.width, settings.fields.values, settings.fields.counted) == (2000, ("a", "b"), "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[fronts]", r"no table \[fronts\]; there are \[front\], \[fields\]"),
        ("front = 1", r"front is a table, write \[front\]"),
        ("[front]\nprot = 1", r"\[front\] has no setting 'prot'; it has host, port"),
        ('[front]\nport = "1"', r"\[front\] port is '1', it should be int"),
        ('[fields]\nvalues = "v"', r"values is 'v', it should be a list of names"),
        ('[keep]\nfsync = "maybe"', r"fsync is 'maybe', it should be one of always, everysec, no"),
        ("[windows]\nwidth_seconds = 0", r"\[windows\] width_seconds is 0.0, it should be from 0.001 to 1000000000.0"),
        ("[windows]\nwidth_seconds = nan", "width_seconds is nan, it should be from"),
        ("[windows]\nlateness_seconds = -1", "lateness_seconds is -1.0, it should be from 0"),
        ("[seal]\nrecords_per_key = 4294967297", "records_per_key is 4294967297, it should be from 1 to 4294967296"),
        ("[seal]\nepoch_seconds = 0", "epoch_seconds is 0.0, it should be from"),
        ("[front]\nport = 70000", r"\[front\] port is 70000, it should be from 0 to 65535"),
        ("[keep]\nblock_rows = 0", "block_rows is 0, it should be from 1"),
        ("[eyes]\nport = -2", r"\[eyes\] port is -2, it should be from -1 to 65535"),
        ('[fields]\ntenant = ""', "tenant is empty, it should be the name of a field"),
        ('[fields]\nvalues = ["seq"]', "values cannot be named as a column of the log is: counter, epoch, key, ms"),
        ('[fields]\nvalues = ["a","b","c","d","e","f","g","h","i"]', "at most 8 fields"),
        ('[fields]\nvalues = ["secret"]', "a field can have one meaning only: secret"),
        ('[fields]\ndistinct = "v"', "distinct should be a secret field or one with no other meaning"),
        ('[front]\ntls_key = "k"', "tls_certificate and tls_key come together"),
        ("[front]\ntcp = false", "there is nowhere to listen"),
        ("[front", "cannot be read as TOML"),
    ],
)
def test_what_cannot_be_meant_is_named(here: Path, text: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        loaded(here, text)


def test_a_missing_file_is_named(here: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing\.toml: cannot be read"):
        load(here / "nothing.toml")


def test_every_number_has_its_bounds_and_every_default_is_within() -> None:
    settings = Settings()
    numbers = {
        (part.name, entry.name)
        for part in fields(settings)
        for entry in fields(getattr(settings, part.name))
        if type(getattr(getattr(settings, part.name), entry.name)) in (int, float)
    }
    assert set(BOUNDS) == numbers
    assert checked(settings, "here") is settings
