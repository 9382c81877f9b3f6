"""The page stands alone, shows what the story tells, and works in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.explore.programs import Counters, LostUpdate, State

from tenure.explore.bounds import Bounds
from tenure.explore.explorer import explore
from tenure.explore.model import Drawing, Edge, Node
from tenure.explore.report.page import as_page, placed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1300,700",
]


class Drawn(LostUpdate):
    """Broken, with a picture, and with labels that look like markup."""

    def outcome(self, state: State) -> str:
        return f"</script><b>number={state[0]}"


def page(model: LostUpdate | Counters) -> str:
    return as_page(model, explore(model))


def data(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])  # type: ignore[no-any-return]


def test_the_page_refers_to_nothing_outside() -> None:
    text = page(LostUpdate(2))
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}


def test_the_page_tells_the_story_and_a_picture_of_each_state() -> None:
    told = data(page(LostUpdate(2)))
    assert told["schedule"] == "p0-p1-p1-p0"
    assert told["threads"] == ["p0", "p1"]
    assert [step["does"] for step in told["steps"]] == ["read 0", "read 0", "write 1", "write 1"]
    assert len(told["drawings"]) == 5
    assert told["drawings"][1]["edges"] == [{"source": "p0", "target": "number", "label": "read"}]


def test_no_label_can_be_taken_for_markup() -> None:
    text = page(Drawn(2))
    assert "</script><b>" not in text
    assert text.count("</script>") == 2
    assert data(text)["ending"] == "an addition was lost"


def test_what_holds_shows_a_witness_and_a_model_without_pictures_its_states() -> None:
    told = data(page(Counters(1, 2)))
    assert (told["verdict"], told["ending"]) == ("holds", "all at the top")
    assert [drawing["notes"] for drawing in told["drawings"]] == [["(0,)"], ["(1,)"], ["(2,)"]]


def test_without_any_story_there_is_no_page() -> None:
    model = Counters(3, 9)
    with pytest.raises(ValueError, match="counters: there is no story to show, because no schedule has come to an end"):
        as_page(model, explore(model, Bounds(states=10), reduce=False))


def test_boxes_stand_right_of_what_points_to_them_and_never_move() -> None:
    first = Drawing((Node("a", "a", "root"), Node("b", "b", "object")), (Edge("a", "b"),))
    second = Drawing(
        (Node("a", "a", "root"), Node("b", "b", "object"), Node("c", "a long label here", "object")),
        (Edge("b", "c"), Edge("c", "b"), Edge("a", "c")),
    )
    places = placed([first, second])["places"]
    assert places["a"]["x"] < places["b"]["x"] < places["c"]["x"]
    assert places["c"]["w"] > places["a"]["w"]


def test_what_no_root_reaches_stands_last() -> None:
    lost = Drawing((Node("x", "x", "native"), Node("r", "r", "root")))
    places = placed([lost])["places"]
    assert places["r"]["x"] < places["x"]["x"]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian: apt-get install chromium)")
@pytest.mark.parametrize("step", [0, 3])
def test_a_browser_shows_lanes_picture_and_slider_at_the_step_asked_for(tmp_path: Path, step: int) -> None:
    file = tmp_path / "story.html"
    file.write_text(page(LostUpdate(2)), "utf-8")
    shot = tmp_path / "story.png"
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={shot}", "--dump-dom"]
    done = subprocess.run([*command, f"{file.as_uri()}#{step}"], capture_output=True, text=True, timeout=90, check=True)
    dom = done.stdout
    assert f'data-step="{step}"' in dom
    assert f"step {step} of 4" in dom
    assert len(re.findall(r"<tr[^>]*data-at=", dom)) == 6
    assert len(re.findall(r'<tr[^>]*class="now"', dom)) == 1
    assert len(re.findall(r"<rect ", dom)) == {0: 1, 3: 2}[step]
    assert shot.read_bytes().startswith(b"\x89PNG")


def driven(tmp_path: Path, text: str, script: str) -> str:
    """The page after ``script`` has run in it, in a narrow window."""
    file = tmp_path / "driven.html"
    file.write_text(text.replace("</body>", f"<script>{script}</script></body>"), "utf-8")
    command = [
        str(CHROMIUM),
        *FLAGS[:-1],
        "--window-size=480,700",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
    ]
    return subprocess.run([*command, file.as_uri()], capture_output=True, text=True, timeout=90, check=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian: apt-get install chromium)")
def test_arrow_keys_walk_through_it_and_what_is_done_is_always_in_view(tmp_path: Path) -> None:
    press = """
        const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key }));
        for (const key of ["Right", "Right", "Right", "Left", "Right", "Right"]) press(`Arrow${key}`);
        document.body.dataset.scrolled = byId("lanes").closest("section").scrollLeft > 0;
    """
    model = LostUpdate(3)
    model.threads = tuple(f"a_thread_with_a_long_name_{i}" for i in range(3))
    dom = driven(tmp_path, page(model), press)
    assert 'data-step="4"' in dom
    assert '<p id="now">a_thread_with_a_long_name_2: read 1</p>' in dom
    assert 'data-scrolled="true"' in dom


def test_a_queue_stands_left_of_what_it_holds() -> None:
    held = Drawing((Node("o", "o", "object"), Node("q", "q", "queue")), (Edge("q", "o"),))
    places = placed([held])["places"]
    assert places["q"]["x"] < places["o"]["x"]
