"""How many files a process may open: enough for every connection, and for what the server itself has to open."""

from __future__ import annotations

import resource
from typing import Final

from tenure.pipeline.settings import SettingsError

__all__ = ["OWN", "have_descriptors"]

#: What the server opens besides connections: segments, results, libraries, the eyes, and those it has to refuse.
OWN: Final = 128


def have_descriptors(connections: int, *, guarded: bool = False) -> None:
    """Raise the limit of this process so far that so many connections leave enough; SettingsError if it may not.

    Who is still shaking hands over TLS holds a descriptor and no place: where that may be (``guarded``) it goes up as
    far as it can.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = hard if guarded and hard != resource.RLIM_INFINITY else connections + OWN
    if hard == resource.RLIM_INFINITY or hard >= connections + OWN:
        if soft != resource.RLIM_INFINITY and soft < needed:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        return
    raise SettingsError(
        f"[front] max_connections is {connections}, for which {connections + OWN} files have to be open, "
        f"and this process may open {hard}. Raise that limit (`ulimit -Hn`, LimitNOFILE), or set max_connections to "
        f"{max(hard - OWN, 1)} or less."
    )
