"""A sub-interpreter ends while it owns native resources."""

from __future__ import annotations

import sys
from typing import Any

_BODY = """
import sys
sys.path.insert(0, {here!r})
from run_victim import load
lib = load({path!r})
{acquire}
"""

_ACQUIRE = {
    ("kept", True): "import tenure; kept = tenure.open(lib.hz_open, 16, release=lib.hz_close)",
    ("kept", False): "import sys; sys.modules['kept'] = lib.hz_open(16)",
    ("dropped", True): "import tenure; c = [tenure.open(lib.hz_open, 16, release=lib.hz_close)]; c.append(c); del c",
    ("dropped", False): "lib.hz_open(16)",
}


def ends(lib: Any, protected: bool, path: str, how: str) -> None:
    """Protected by a ledger and a release thread for each interpreter, drained when it ends."""
    import _xxsubinterpreters as interpreters  # type: ignore[import-not-found]

    body = _BODY.format(here=sys.path[0], path=path, acquire=_ACQUIRE[how, protected])
    other = interpreters.create()
    interpreters.run_string(other, body)
    print("opened", lib.hz_opened())
    interpreters.destroy(other)
    print("live", lib.hz_live())
