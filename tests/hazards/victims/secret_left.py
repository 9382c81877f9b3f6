"""A key stays in the memory of the process after it was wiped."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import mmap
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import tenure

_CHUNK = 1 << 22
_NEEDLE = 48
_KEY = 1704

last_error: BaseException | None = None


def scanner() -> Callable[[str], int]:
    """A search of this process's own memory, with all it needs allocated before, so that it covers no tracks."""
    window, maps, needle = mmap.mmap(-1, _CHUNK), mmap.mmap(-1, 1 << 20), mmap.mmap(-1, 4096)
    own = [ctypes.addressof(ctypes.c_char.from_buffer(each)) for each in (window, maps, needle)]
    into, listing = memoryview(window), memoryview(maps)
    memory, table = os.open("/proc/self/mem", os.O_RDONLY), os.open("/proc/self/maps", os.O_RDONLY)

    def regions() -> list[tuple[int, int]]:
        os.lseek(table, 0, 0)
        size = 0
        while (more := os.readv(table, [listing[size:]])) > 0:
            size += more
        lines = [line.split() for line in bytes(listing[:size]).split(b"\n") if line]
        spans = [line[0].split(b"-") for line in lines if line[1].startswith(b"rw")]
        found = [(int(start, 16), int(end, 16)) for start, end in spans]
        return [(a, b) for a, b in found if not any(a <= mine < b for mine in own)]

    def count(start: int, end: int) -> int:
        found = 0
        while start < end:
            got = 0
            with suppress(OSError):  # a page that cannot be read
                got = os.preadv(memory, [into[: min(_CHUNK, end - start)]], start)
            if got <= 0:
                break
            at = -1
            while (at := window.find(needle[:_NEEDLE], at + 1, got)) >= 0:
                found += 1
            start += got
        return found

    def scan(masked: str) -> int:
        for i in range(_NEEDLE):
            needle[i] = int(masked[2 * i : 2 * i + 2], 16) ^ 0x55
        return sum(count(start, end) for start, end in regions())

    return scan


def control(lib: Any, protected: bool, path: str, masked: str) -> None:
    """What a process finds that never saw the key."""
    scan = scanner()
    scan("00" * _NEEDLE)
    print(scan(masked))


def _read(path: str, into: Any) -> None:
    file = os.open(path, os.O_RDONLY)
    os.readv(file, [into])
    os.close(file)


def config(lib: Any, protected: bool, path: str, masked: str) -> None:
    """Protected by reading into the secret itself; bare, by way of JSON, base64 and a bytearray."""
    scan = scanner()
    scan("00" * _NEEDLE)
    if protected:
        with tenure.SecretBuffer(_KEY) as secret, secret.lease() as view:
            _read(path, view)
            hashlib.sha256(view).digest()
    else:
        with open(path + ".json") as file:
            settings = json.load(file)
        key = bytearray(base64.b64decode(settings.pop("key")))
        parts = [bytes(key[i : i + 852]) for i in (0, 852)]
        text = bytes(key).hex()
        hashlib.sha256(bytes(key)).digest()
        for i in range(len(key)):
            key[i] = 0
        del settings, key, parts, text
    print(scan(masked))


def exception(lib: Any, protected: bool, path: str, masked: str) -> None:
    """Protected by the wipe at close: what a traceback keeps is a closed buffer."""
    global last_error
    scan = scanner()
    scan("00" * _NEEDLE)

    def use(key: object) -> None:
        raise ValueError("bad signature")

    try:
        if protected:
            with tenure.SecretBuffer(_KEY) as secret:
                with secret.lease() as view:
                    _read(path, view)
                use(secret)
        else:
            with open(path, "rb") as file:
                use(file.read())
    except ValueError as error:
        last_error = error
    print(scan(masked))


def forked(lib: Any, protected: bool, path: str, masked: str) -> None:
    """Protected by the kernel, which wipes the child's copy; bare, the parent's wipe cannot reach it."""
    if protected:
        secret = tenure.SecretBuffer(_KEY)
        lease = secret.lease()
        view: Any = lease.token
    else:
        view = bytearray(_KEY)
    _read(path, view)
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(into, b"%d" % scanner()(masked))
        os._exit(0)
    os.waitpid(child, 0)
    print(int(os.read(out, 9)))
    if protected:
        lease.give_back()
        secret.close()


def shown(lib: Any, protected: bool, path: str, masked: str) -> None:
    """Protected by ``repr``, pickle and copy, which show and take nothing."""
    import logging
    import pickle

    key = b"correct horse battery staple"
    logging.basicConfig(format="%(message)s")
    secret: Any = tenure.SecretBuffer(len(key)) if protected else key
    if protected:
        with secret.lease() as view:
            view[:] = key
    logging.warning("using %r %s", secret, secret)
    with suppress(TypeError):
        print(pickle.dumps(secret))
    if protected:
        secret.close()
