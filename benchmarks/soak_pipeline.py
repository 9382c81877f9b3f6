"""Does a pipeline stay as small as it was, over twenty million requests?

Sends them in rounds by `redis-benchmark` to a server that seals, aggregates and logs, and asks it after each round for
its memory, locked memory and descriptors. One sample says little: what is under way at that moment is in it. Flat means
that the median of the last five rounds is within 2 % of that of the second five, when the server is warm.
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
from pathlib import Path
from typing import Final

import redis
from benchmarks.bench_pipeline import SECRET, free_port, tenure, wait_for

WATCHED: Final = ("rss_bytes", "locked_bytes", "descriptors")
SHARE: Final = 0.02
ROUNDS: Final = 20
LOOKS: Final = 5

Sample = dict[str, float]


def send(port: int, requests: int) -> None:
    """One round."""
    line = ["XADD", "ev", "*", "tenant", "t:__rand_int__", "v", "12.5", "secret", SECRET]
    command = [
        "redis-benchmark",
        "-p",
        str(port),
        "-c",
        "50",
        "-P",
        "64",
        "-r",
        "100",
        "-n",
        str(requests),
        "-q",
        *line,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sample(port: int) -> Sample:
    """What the server says of itself, once what it was sent is written: the least of some looks, as it is between two
    pieces of work."""
    looks = []
    with redis.Redis(port=port) as client:
        for _ in range(LOOKS):
            time.sleep(0.3)
            looks.append(client.info())
    return {name: float(min(look[name] for look in looks)) for name in (*WATCHED, "handles_open")} | {
        "sealed": float(looks[-1]["sealed"])
    }


def drifts(samples: list[Sample]) -> dict[str, float]:
    """How far each watched number got from the second quarter of the rounds to the last, as a share of it."""
    quarter = len(samples) // 4

    def median(part: list[Sample], name: str) -> float:
        return statistics.median(s[name] for s in part)

    warm, last = samples[quarter : 2 * quarter], samples[-quarter:]
    return {name: abs(median(last, name) - median(warm, name)) / max(median(warm, name), 1) for name in WATCHED}


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
    server = subprocess.Popen(tenure("everysec")(directory, port), stdout=subprocess.DEVNULL)
    samples: list[Sample] = []
    try:
        wait_for(port)
        for number in range(ROUNDS):
            send(port, args.requests // ROUNDS)
            samples.append(sample(port))
            # The log of a soak is not the point, and it is large; the server keeps only the segment it writes to open.
            for segment in sorted((directory / "data").glob("*.seg"))[:-1]:
                segment.unlink()
            s = samples[-1]
            print(
                f"{number + 1:2}/{ROUNDS}  {s['sealed']:12,.0f} sealed  RSS {s['rss_bytes'] / 1e6:7.1f} MB"
                f"  locked {s['locked_bytes'] / 1024:5.0f} KiB  descriptors {s['descriptors']:3.0f}"
                f"  handles {s['handles_open']:4.0f}",
                flush=True,
            )
        server.terminate()
        status = server.wait(60)
    finally:
        server.kill()
        server.wait()
        books = json.loads((directory / "data" / "books.json").read_text()) if samples else {}
        shutil.rmtree(directory)
    return judged(args.out, samples, books, status)


def judged(out: Path, samples: list[Sample], books: dict[str, float], status: int) -> int:
    """The verdict, kept and shown; 0 only if everything is flat and the books balance."""
    found = drifts(samples)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"samples": samples, "drift": found, "books": books}, indent=1), "utf-8")
    wrong = [f"{name} drifted by {drift:.1%}" for name, drift in found.items() if drift > SHARE]
    wrong += [] if books["sealed"] == books["stored"] else [f"{books['sealed']} sealed, {books['stored']} stored"]
    wrong += [f"{books['handles_open']} handles left open"] if books["handles_open"] else []
    wrong += [f"the server ended with status {status}"] if status else []
    print("; ".join(wrong) if wrong else f"flat: {', '.join(f'{name} {drift:.2%}' for name, drift in found.items())}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
