"""Does a pipeline stay as small as it was, over twenty million requests?

Sends them in rounds by `redis-benchmark` to a server that seals, aggregates and logs. Windows are five seconds wide, so
that many hundreds of them are opened, closed and committed on the way. After each round the server is left alone until
it must have folded, committed and given back what it does not need, and is asked for its memory (plain RSS), locked
memory and descriptors; the least of those looks counts, since a commit may be under way in one. The first rounds warm
it up and are not judged.

Flat means two things of each number, over the judged rounds: no round is further than 2 % from their median, and the
line fitted through them rises or falls by no more than 2 % from the first to the last. The most memory the server was
seen with in the middle of each round is shown too, and its line is judged.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import redis
from benchmarks.bench_pipeline import SECRET, free_port, tenure, wait_for

WATCHED: Final = ("rss_bytes", "locked_bytes", "descriptors")
SHARE: Final = 0.02
#: Rounds that are not judged, and rounds that share the requests.
WARM_UP: Final = 4
ROUNDS: Final = 20
#: Seconds after a round in which it is looked at: so long that the server, which gives memory back every five seconds,
#: does so twice, as the first time may come while the last windows of the round are being closed.
REST: Final = 11.0
PAUSE: Final = 0.5
WINDOWS: Final = "[windows]\nwidth_seconds = 5.0\nlateness_seconds = 1.0\n"

Sample = dict[str, float]


def sent(port: int, requests: int) -> list[Sample]:
    """One round, and what the server said of itself meanwhile."""
    shape = ["-c", "50", "-P", "64", "-r", "100", "-n", str(requests), "-q"]
    line = ["XADD", "ev", "*", "tenant", "t:__rand_int__", "v", "12.5", "secret", SECRET]
    command = ["redis-benchmark", "-p", str(port), *shape, *line]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as round_:
        looks = looked(port, lambda: round_.poll() is None)
    if round_.returncode:
        raise subprocess.CalledProcessError(round_.returncode, command)
    return looks


def looked(port: int, going: Callable[[], bool]) -> list[Sample]:
    """What the server says of itself now and then, as long as that is so."""
    looks: list[Sample] = []
    with redis.Redis(port=port) as client:
        while going():
            time.sleep(PAUSE)
            looks.append(client.info())
    return looks


def sample(port: int, requests: int) -> Sample:
    """One round and the rest after it: the least of each number at rest, and the most memory in the round."""
    busy = sent(port, requests)
    until = time.monotonic() + REST
    rest = looked(port, lambda: time.monotonic() < until)
    least = {name: float(min(look[name] for look in rest)) for name in (*WATCHED, "handles_open")}
    counted = {name: float(rest[-1][name]) for name in ("sealed", "windows_closed")}
    return least | counted | {"busy_rss_bytes": float(max(look["rss_bytes"] for look in busy))}


def spread(values: Sequence[float]) -> float:
    """How far the value that is furthest from the median is from it, as a share of it."""
    middle = statistics.median(values)
    return max(abs(value - middle) for value in values) / max(middle, 1)


def rise(values: Sequence[float]) -> float:
    """How far the line fitted through them goes up or down from the first to the last, as a share of the median."""
    slope = statistics.linear_regression(range(len(values)), values).slope
    return slope * (len(values) - 1) / max(statistics.median(values), 1)


def drifts(samples: Sequence[Sample]) -> dict[str, float]:
    """What is judged, each as a share that has to stay small."""
    found: dict[str, float] = {}
    for name in WATCHED:
        values = [sample[name] for sample in samples]
        found |= {f"{name} spread": spread(values), f"{name} rise": rise(values)}
    return found | {"busy_rss_bytes rise": rise([sample["busy_rss_bytes"] for sample in samples])}


def main() -> int:
    """Send, sample, judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=20_000_000)
    parser.add_argument("--out", type=Path, default=Path("build/soak-pipeline.json"))
    args = parser.parse_args()
    if not shutil.which("redis-benchmark"):
        print("redis-benchmark is not installed: say `make bench-tools`", file=sys.stderr)
        return 2
    directory, port = Path(tempfile.mkdtemp(prefix="soak-pipeline-")), free_port()
    server = subprocess.Popen(tenure("everysec", WINDOWS)(directory, port), stdout=subprocess.DEVNULL)
    samples: list[Sample] = []
    try:
        wait_for(port)
        for number in range(1 - WARM_UP, ROUNDS + 1):
            seen = sample(port, args.requests // ROUNDS)
            samples += [seen] if number > 0 else []
            # The log of a soak is not the point, and it is large; the server keeps only the segment it writes to open.
            for segment in sorted((directory / "data").glob("*.seg"))[:-1]:
                segment.unlink()
            print(shown(number, seen), flush=True)
        server.terminate()
        status = server.wait(60)
    finally:
        server.kill()
        server.wait()
        books = json.loads((directory / "data" / "books.json").read_text()) if samples else {}
        shutil.rmtree(directory)
    return judged(args.out, samples, books, status)


def shown(number: int, seen: Sample) -> str:
    """A round as a line."""
    name = f"{number:2}/{ROUNDS}" if number > 0 else "warm-up"
    return (
        f"{name:>7}  {seen['sealed']:11,.0f} sealed  {seen['windows_closed']:6,.0f} windows closed"
        f"  RSS {seen['rss_bytes'] / 1e6:6.1f} MB (busy {seen['busy_rss_bytes'] / 1e6:6.1f})"
        f"  locked {seen['locked_bytes'] / 1024:3.0f} KiB  descriptors {seen['descriptors']:3.0f}"
        f"  handles {seen['handles_open']:4.0f}"
    )


def judged(out: Path, samples: list[Sample], books: dict[str, float], status: int) -> int:
    """The verdict, kept and shown; 0 only if everything is flat and the books balance."""
    found = drifts(samples)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"samples": samples, "drift": found, "books": books}, indent=1), "utf-8")
    for name, drift in found.items():
        print(f"{name:>22}  {drift:+7.2%}  (± {SHARE:.0%})")
    wrong = [f"{name} is {drift:+.1%}" for name, drift in found.items() if abs(drift) > SHARE]
    wrong += [] if books["sealed"] == books["stored"] else [f"{books['sealed']} sealed, {books['stored']} stored"]
    wrong += [f"{books['handles_open']} handles left open"] if books["handles_open"] else []
    wrong += [f"the server ended with status {status}"] if status else []
    print("; ".join(wrong) if wrong else "flat, and the books balance")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
