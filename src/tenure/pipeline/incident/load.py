"""The same load for every remedy: handlers seal requests under keys that are rotated, and now and then forgotten."""

from __future__ import annotations

import ctypes
import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from tenure.pipeline.incident.memory import SIZE, Memory
from tenure.pipeline.incident.remedies import Key, KeyGone, Remedy, ring

__all__ = ["Load", "Tally", "content_of", "seal"]

TENANTS: Final = 8
THREADS: Final = 4
ROTATE_EVERY: Final = 40  #: requests of a handler between two rotations
FORGET_EVERY: Final = 10  #: of so many rotations one forgets to retire the old key
SUPPORT_EVERY: Final = 60  #: requests between two looks of the support page into the log's ring

_BODY: Final = b"x" * 4096
_crypto = ctypes.CDLL("libcrypto.so.3")
_crypto.EVP_sha256.restype = ctypes.c_void_p
_crypto.HMAC.restype = ctypes.c_void_p
_crypto.HMAC.argtypes = [
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p,
]  # fmt: skip
_sha256 = _crypto.EVP_sha256()


def seal(address: int) -> bytes:
    """The request's seal, by the C library, which reads the key at ``address`` while other threads run."""
    out = ctypes.create_string_buffer(32)
    _crypto.HMAC(_sha256, address, SIZE, _BODY, len(_BODY), out, None)
    return out.raw


def content_of(tenant: int) -> bytes:
    """The key of a tenant; the same after each rotation, so that its seals can be checked."""
    return hashlib.sha256(b"tenant %d" % tenant).digest()


@dataclass
class Tally:
    """What the handlers saw."""

    requests: int = 0
    refused: int = 0  #: a key that was gone, noticed
    wrong: int = 0  #: seals made with something else than the tenant's key
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, requests: int, refused: int, wrong: int) -> None:
        with self.lock:
            self.requests += requests
            self.refused += refused
            self.wrong += wrong


class Load:
    """``requests`` requests by four handlers over the keys of eight tenants."""

    def __init__(self, remedy: Remedy, memory: Memory, requests: int) -> None:
        self._remedy, self._memory, self._requests = remedy, memory, requests
        self.tally = Tally()
        self._keys: list[Key] = [remedy(memory, content_of(tenant)) for tenant in range(TENANTS)]
        self._seals = [hmac.digest(content_of(tenant), _BODY, "sha256") for tenant in range(TENANTS)]
        self._rotations = 0

    def run(self, progress: Callable[[Tally], None]) -> float:
        """Serve them all, telling ``progress`` now and then and at the end; the answer is the seconds it took."""
        began = perf_counter()
        threads = [threading.Thread(target=self._handle, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(0.1) if threads[0].is_alive() else threads.pop(0).join()
            progress(self.tally)
        seconds = perf_counter() - began
        progress(self.tally)
        return seconds

    def finish(self) -> None:
        """The service ends: it retires what it has, and drops everything."""
        for key in self._keys:
            key.retire()
        self._keys.clear()
        ring.clear()

    def _handle(self, number: int) -> None:
        for request, _ in enumerate(range(number, self._requests, THREADS)):
            tenant = (request * 7 + number) % TENANTS
            self._serve(tenant, self._keys[tenant])
            if request % ROTATE_EVERY == number:
                self._rotate(tenant)
            if request % SUPPORT_EVERY == SUPPORT_EVERY - 1:
                self._support()

    def _serve(self, tenant: int, key: Key) -> None:
        try:
            made = key.use(seal)
        except KeyGone:  # rotated under us: the new key is there
            self.tally.add(0, 1, 0)
            return self._serve(tenant, self._keys[tenant])
        return self.tally.add(1, 0, made != self._seals[tenant])

    def _rotate(self, tenant: int) -> None:
        old, self._keys[tenant] = self._keys[tenant], self._remedy(self._memory, content_of(tenant))
        self._rotations += 1
        if self._rotations % FORGET_EVERY:
            old.retire()

    def _support(self) -> None:
        """The support page shows the fingerprint of the key that was logged last."""
        if not ring:
            return None
        _, kept = ring[-1]
        try:
            made = kept.use(seal)
        except KeyGone:
            return self.tally.add(0, 1, 0)
        return self.tally.add(1, 0, made not in self._seals)
