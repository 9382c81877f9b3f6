"""What owning a resource costs with tenure, native and pure, beside the ways everybody uses.

    python -m benchmarks.bench_handle [--quick] [--json FILE] [--write]

Each case is a compiled loop of ``inner`` operations, calibrated to two milliseconds; the cases take turns, round after
round, with the collector off, so that what else the machine does falls on all alike. A figure is the median over the
rounds, less that of an empty loop, of processor time in all threads: what the machine does besides is left out, and
what the release thread does is not. Each implementation runs in a process of its own, with every peer measured there
too, so a ratio always has both its figures from one process. Bytes are what tracemalloc and glibc's ``mallinfo2`` see
for each of 20,000 live objects.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.results import write_section

SETUP: Final = """
import contextlib, ctypes, os, queue, socket, sqlite3, sys, threading, warnings, weakref
import tenure
warnings.simplefilter("ignore")
own, drain = tenure.own, tenure.drain
libc = ctypes.CDLL(None)
malloc, free = libc.malloc, libc.free
malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
free.restype, free.argtypes = None, [ctypes.c_void_p]

def noop(*args): pass

class Plain:
    __slots__ = ("__weakref__", "h")
    def __init__(self): self.h = 1
    def close(self): self.h = None

class Managed(Plain):
    __slots__ = ()
    def __enter__(self): return self
    def __exit__(self, *args): self.h = None

class Del(Plain):
    __slots__ = ()
    def __del__(self): self.h = None

class Flag:  # what a careful wrapper does: a lock, a count and a flag
    __slots__ = ("closed", "h", "lock", "refs")
    def __init__(self): self.h, self.lock, self.closed, self.refs = 1, threading.Lock(), False, 1
    def incref(self):
        with self.lock:
            if self.closed: raise ValueError("closed")
            self.refs += 1
    def decref(self):
        with self.lock:
            self.refs -= 1
            if self.refs == 0: self.h = None
    def use(self):
        self.incref()
        try: return self.h
        finally: self.decref()
    def close(self):
        with self.lock:
            if self.closed: return
            self.closed = True
        self.decref()

class Finalized:  # what the documentation of weakref recommends
    __slots__ = ("__weakref__", "_end")
    def __init__(self): self._end = weakref.finalize(self, noop, 1)
    def close(self): self._end()

class Memory:  # the same over C memory
    __slots__ = ("__weakref__", "_end", "h")
    def __init__(self):
        self.h = h = malloc(64)
        self._end = weakref.finalize(self, free, h)
    def close(self): self._end()

class MemoryDel:
    __slots__ = ("h",)
    def __init__(self): self.h = malloc(64)
    def close(self):
        h = self.h
        if h:
            self.h = None
            free(h)
    __del__ = close
    def __enter__(self): return self
    def __exit__(self, *args): self.close()

@contextlib.contextmanager
def generated():
    yield 1

lock, rlock, items, pipe = threading.Lock(), threading.RLock(), {}, queue.SimpleQueue()
plain, managed, flag = Plain(), Managed(), Flag()
leased = own(-1, release=noop)
weak = weakref.ref(plain)
frames = []
def three(f): return (lambda: (lambda: f())())()
"""

#: Group, name, statement (``i`` is the number of the round), and what the loop ends with.
CASES: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("", "(empty loop)", "pass", ""),
    ("tenure", "create + close", "own(i, release=noop).close()", ""),
    ("tenure", "create + close over malloc and free", "own(malloc(64), release=free).close()", ""),
    ("tenure", "lease + give back", "with leased.lease() as token: pass", ""),
    ("tenure", "abandoned, until released", "own(i, release=noop)", "drain()"),
    ("create + close", "weakref.finalize, called by close()", "Finalized().close()", ""),
    ("create + close", "malloc + weakref.finalize(free), close()", "Memory().close()", ""),
    ("create + close", "lock + count + flag, by hand", "Flag().close()", ""),
    ("create + close", "plain object", "Plain().close()", ""),
    ("create + close", "ExitStack, one callback", "s = contextlib.ExitStack(); s.callback(noop); s.close()", ""),
    ("create + drop", "weakref.finalize, dropped", "Finalized()", ""),
    ("create + drop", "malloc + weakref.finalize(free), dropped", "Memory()", ""),
    ("create + drop", "class with __del__", "Del()", ""),
    ("create + drop", "plain object", "Plain()", ""),
    ("use", "lock + count + flag, by hand", "flag.use()", ""),
    ("use", "with threading.Lock", "with lock: pass", ""),
    ("use", "with threading.RLock", "with rlock: pass", ""),
    ("use", "with plain __enter__ and __exit__", "with managed: pass", ""),
    ("use", "with contextlib.closing", "with contextlib.closing(plain): pass", ""),
    ("use", "with @contextmanager", "with generated(): pass", ""),
    ("use", "weak reference, asked", "weak()", ""),
    ("native", "ctypes malloc + free", "free(malloc(64))", ""),
    ("native", "malloc in __init__, free in __exit__", "with MemoryDel(): pass", ""),
    ("native", "ctypes.create_string_buffer(64)", "ctypes.create_string_buffer(64)", ""),
    ("real", "os.open + os.close", "os.close(os.open('/dev/null', 0))", ""),
    ("real", "open in a with block", "with open('/dev/null', 'rb', 0): pass", ""),
    ("real", "sqlite3.connect + close", "sqlite3.connect(':memory:').close()", ""),
    ("part", "dict entry in and out", "items[1] = plain; del items[1]", ""),
    ("part", "SimpleQueue put + get", "pipe.put(1); pipe.get()", ""),
)

CFFI_SETUP: Final = """
import cffi
ffi = cffi.FFI()
ffi.cdef("void *malloc(size_t); void free(void *);")
C = ffi.dlopen(None)
"""
CFFI_CASES: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("native", "cffi: ffi.gc, dropped", "ffi.gc(C.malloc(64), C.free)", ""),
    ("native", "cffi: ffi.gc + ffi.release", "p = ffi.gc(C.malloc(64), C.free); ffi.release(p)", ""),
    ("native", "cffi: with ffi.gc", "with ffi.gc(C.malloc(64), C.free): pass", ""),
    ("native", "cffi: malloc + free", "C.free(C.malloc(64))", ""),
)

#: Our row, the peer's, and the ratio that is promised: native, pure.
PROMISES: Final[tuple[tuple[str, str, float, float], ...]] = (
    ("create + close", "weakref.finalize, called by close()", 1 / 3, 1.0),
    ("create + close over malloc and free", "malloc + weakref.finalize(free), close()", 1 / 2, 1.0),
    ("lease + give back", "lock + count + flag, by hand", 1 / 2, 1.0),
    ("abandoned, until released", "weakref.finalize, dropped", 1.0, 1.0),
)
BYTES_PROMISED: Final = {"native": 2 / 3, "pure": 1.0}
#: What stands in the way of the definition where it misses what is promised of it.
WHY_PURE_MISSES: Final = (
    "The pure implementation is written to be read; where there is a compiler nobody runs it. Of its 2.1 µs",
    "(CPython 3.11) an open takes 1.24, of them 0.34 for the line, a close 0.70 and `__del__` 0.15;",
    "`weakref.finalize`, which keeps no books, takes 1.07 for everything. An abandoned handle is settled on the",
    "release thread, so that nobody's code runs in the collector; `weakref.finalize` calls back on the spot.",
    "Tried, and not enough: a shorter close, unrolled copies.",
)
MILLION: Final = 1_000_000


class Row(NamedTuple):
    """A promise, measured. Nanoseconds an operation; bytes an object for ``bytes a live handle``."""

    name: str
    ours_ns: float
    peer: str
    peer_ns: float
    ratio: float
    impl: str
    promised: float


def compiled(statement: str, after: str, names: dict[str, Any]) -> Callable[[int], int]:
    """A function that does ``statement`` n times and says how many nanoseconds it took."""
    body = f"        {statement}\n"
    # Three frames deep at the least, as a site of three frames is part of the price.
    source = (
        "def run(n, clock=__import__('time').process_time_ns):\n"
        f"    began = clock()\n    for i in range(n):\n{body}    {after or 'pass'}\n    return clock() - began\n"
        "def middle(n): return run(n)\ndef outer(n): return middle(n)\n"
    )
    space = dict(names)
    exec(compile(source, "<case>", "exec"), space)
    return space["outer"]  # type: ignore[no-any-return]


def measured(rounds: int, target: int) -> dict[str, dict[str, float]]:
    """Group and name of each case: median nanoseconds an operation."""
    names: dict[str, Any] = {}
    exec(SETUP, names)
    cases = CASES
    try:
        exec(CFFI_SETUP, names)
        cases += CFFI_CASES
    except ImportError:
        pass
    loops = [(group, name, compiled(statement, after, names)) for group, name, statement, after in cases]
    gc.collect()
    gc.disable()
    # What ends with a wait for the release thread is measured over many, or the wait would be all there is to see.
    inner = [4096 if after else _calibrated(run, target) for (_, _, run), (*_, after) in zip(loops, cases, strict=True)]
    seen: list[list[float]] = [[] for _ in loops]
    for _ in range(rounds):
        for number, (_, _, run) in enumerate(loops):
            seen[number].append(run(inner[number]) / inner[number])
        gc.collect()
    gc.enable()
    names["leased"].close()
    empty = statistics.median(seen[0])
    found: dict[str, dict[str, float]] = {}
    for (group, name, _), figures in zip(loops[1:], seen[1:], strict=True):
        found.setdefault(group, {})[name] = statistics.median(figures) - empty
    return found


def _calibrated(run: Callable[[int], int], target: int) -> int:
    inner = 1
    while run(inner) < target and inner < 1 << 16:
        inner *= 2
    return inner


class _Mallinfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "used", "free", "keep")
    ]


def bytes_each(expression: str, count: int = 20_000) -> float:
    """Bytes a live object: what Python allocated and what C did."""
    names: dict[str, Any] = {}
    exec(SETUP, names)
    names["leased"].close()
    make = eval(f"lambda i: {expression}", names)
    python, native = _held(make, count, tracemalloc_too=True), _held(make, count, tracemalloc_too=False)
    return max(python, native) if names["tenure"].implementation == "pure" else python + native


def _held(make: Callable[[int], object], count: int, *, tracemalloc_too: bool) -> float:
    """Growth for each of ``count`` live objects, of Python's heap or of C's."""
    info = ctypes.CDLL(None).mallinfo2
    info.restype = _Mallinfo
    kept: list[object] = [None] * count
    tokens = list(range(1000, 1000 + count))  # they are the user's, and here before
    make(-2)
    gc.collect()
    if tracemalloc_too:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0] if tracemalloc_too else info().used
    for number, token in enumerate(tokens):
        kept[number] = make(token)
    after = tracemalloc.get_traced_memory()[0] if tracemalloc_too else info().used
    if tracemalloc_too:
        tracemalloc.stop()
    for thing in kept:
        thing.close()  # type: ignore[attr-defined]
    return float(after - before) / count


def million() -> dict[str, float]:
    """Nanoseconds of an open with none and with a million open, and seconds of a snapshot of them; CPU time."""
    import tenure

    def opened(count: int, first: int) -> tuple[list[tenure.Handle[int]], float]:
        began = time.process_time_ns()
        handles = [tenure.own(number, release=int) for number in range(first, first + count)]
        return handles, (time.process_time_ns() - began) / count

    tenure.drain()
    gc.disable()
    few, empty_ns = opened(10_000, 0)
    for handle in few:
        handle.close()
    many, _ = opened(MILLION, 0)
    more, full_ns = opened(10_000, MILLION)
    began = time.process_time()
    shot = tenure.ledger.snapshot()
    seconds = time.process_time() - began
    assert len(shot) == MILLION + 10_000, (len(shot), tenure.ledger.by_site())
    for handle in many + more:
        handle.close()
    return {"open_ns_when_empty": empty_ns, "open_ns_with_a_million": full_ns, "snapshot_seconds": seconds}


def child(quick: bool) -> None:
    """Measure the implementation this process was started with."""
    rounds, target = (7, 500_000) if quick else (31, 2_000_000)
    found: dict[str, Any] = {"times": measured(rounds, target)}
    found["bytes"] = {"ours": bytes_each("own(i, release=noop)"), "peer": bytes_each("Finalized()")}
    found["million"] = million()
    print(json.dumps(found))


def run(impl: str, quick: bool) -> dict[str, Any]:
    """One implementation, in a process of its own."""
    print(f"==> {impl}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "benchmarks.bench_handle", "--child", *(["--quick"] if quick else [])]
    result = subprocess.run(
        command, env={**os.environ, "TENURE_IMPL": impl}, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows_of(impl: str, found: dict[str, Any]) -> list[Row]:
    """The promises of one implementation."""
    peers = {name: ns for group, cases in found["times"].items() if group != "tenure" for name, ns in cases.items()}
    ours = found["times"]["tenure"]
    rows = [
        Row(name, ours[name], peer, peers[peer], ours[name] / peers[peer], impl, native if impl == "native" else pure)
        for name, peer, native, pure in PROMISES
    ]
    held = found["bytes"]
    ratio = held["ours"] / held["peer"]
    return [
        *rows,
        Row("bytes a live handle", held["ours"], "weakref.finalize", held["peer"], ratio, impl, BYTES_PROMISED[impl]),
    ]


def as_markdown(found: dict[str, dict[str, Any]], rows: list[Row]) -> str:
    """Every promise with its ratio, the ledger at a million, and every peer."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    lines = [
        "## What a handle costs",
        "",
        f"{python}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores. Nanoseconds of processor time",
        "an operation, medians, each implementation beside its peers in one process (`make bench`).",
        "",
        "| | implementation | ours | peer | peer's | ratio | promised |",
        "|---|---|---:|---|---:|---:|---:|",
    ]
    for row in rows:
        kept = "" if row.ratio <= row.promised else " **missed**"
        figures = f"{row.ours_ns:,.0f} | {row.peer} | {row.peer_ns:,.0f} | {row.ratio:.2f}"
        lines.append(f"| {row.name} | {row.impl} | {figures} | ≤ {row.promised:.2f}{kept} |")
    if any(row.ratio > row.promised for row in rows if row.impl == "pure"):
        lines += ["", *WHY_PURE_MISSES]
    lines += ["", "| the ledger | " + " | ".join(found) + " |", "|---|" + "---:|" * len(found)]
    for key, label, digits in (
        ("open_ns_when_empty", "an open, nothing open, ns", 0),
        ("open_ns_with_a_million", "an open, a million open, ns", 0),
        ("snapshot_seconds", "a snapshot of a million, s", 3),
    ):
        lines.append(
            f"| {label} | " + " | ".join(f"{one['million'][key]:,.{digits}f}" for one in found.values()) + " |"
        )
    lines += [
        "",
        "| peers, ns | " + " | ".join(f"beside {impl}" for impl in found) + " |",
        "|---|" + "---:|" * len(found),
    ]
    first = next(iter(found.values()))["times"]
    for group, cases in first.items():
        for name in cases if group != "tenure" else ():
            figures = " | ".join(f"{one['times'][group][name]:,.0f}" for one in found.values())
            lines.append(f"| {group}: {name} | {figures} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what was asked for, and say it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, help="write the promises as JSON rows")
    parser.add_argument("--write", action="store_true", help="write the section of RESULTS.md")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(args.quick)
    found = {impl: run(impl, args.quick) for impl in ("native", "pure")}
    rows = [row for impl in found for row in rows_of(impl, found[impl])]
    text = as_markdown(found, rows)
    print(text)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps([row._asdict() for row in rows], indent=1), "utf-8")
    if args.write:
        write_section("handle", text)
    return None


if __name__ == "__main__":
    main()
