"""Settings: what is set is what is meant, and whatever cannot be meant is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.pipeline.settings import Settings, SettingsError, load


def loaded(here: Path, text: str) -> Settings:
    (here / "tenure.toml").write_text(text)
    return load(here / "tenure.toml")


def test_an_empty_file_is_the_defaults_with_paths_beside_it(here: Path) -> None:
    settings = loaded(here, "")
    assert settings.front == Settings().front
    assert settings.seal.key_file == str(here / "tenure.key")
    assert settings.directory == here / "tenure-data"


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
        ("[windows]\nwidth_seconds = 0", "width_seconds should be at least 0.001"),
        ("[windows]\nlateness_seconds = -1", "lateness_seconds should not be negative"),
        ("[seal]\nrecords_per_key = 4294967297", r"records_per_key should be from 1 to 2\^32"),
        ("[seal]\nmax_keys = 0", "max_keys should be at least 1"),
        ("[seal]\nepoch_seconds = 0", "epoch_seconds should be positive"),
        ('[fields]\nvalues = ["a","b","c","d","e","f","g","h","i"]', "at most 8 fields"),
        ('[fields]\nvalues = ["secret"]', "a field can have one meaning only"),
        ('[fields]\ndistinct = "v"', "distinct should be a secret field or one with no other meaning"),
        ("[keep]\nblock_rows = 0", "block_rows and block_bytes should be positive"),
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
