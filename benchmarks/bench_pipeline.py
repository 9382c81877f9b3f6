"""What does a sealed event cost the server, beside an unsealed one in Redis?

The server is pinned to one core and `redis-benchmark` to the other. In each round every server gets the same line of
commands in turn, so that what else the machine does falls on all of them alike. The main figure is the CPU time the
server's process used, from the kernel's own accounting, divided by the requests.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.results import PAGE, write_section

SECRET: Final = "s" * 64
TICKS: Final = os.sysconf("SC_CLK_TCK")


class Kind(NamedTuple):
    """A server to be measured."""

    name: str
    command: Callable[[Path, int], list[str]]


class Shape(NamedTuple):
    """How it is asked: requests a pipeline, tenants, requests in all."""

    pipeline: int
    tenants: int
    requests: int


class Measured(NamedTuple):
    """One round of one server."""

    rps: float
    server_cpu_us: float
    p50_ms: float
    p99_ms: float


def redis(*options: str) -> Callable[[Path, int], list[str]]:
    """The command of a Redis with these options."""
    return lambda directory, port: [
        *("redis-server", "--port", str(port), "--dir", str(directory), "--save", "", "--daemonize", "no"),
        *options,
    ]


def tenure(fsync: str, more: str = "") -> Callable[[Path, int], list[str]]:
    """The command of a pipeline that syncs like this; ``more`` stands in its config as well."""

    def command(directory: Path, port: int) -> list[str]:
        config, key = directory / "tenure.toml", directory / "tenure.key"
        config.write_text(f'[keep]\nfsync = "{fsync}"\ndirectory = "data"\n{more}')
        key.write_bytes(bytes(range(32)))
        key.chmod(0o600)
        return [sys.executable, "-m", "tenure", "pipeline", "run", "--config", str(config), "--port", str(port)]

    return command


KINDS: Final = (
    Kind("tenure, sealed, everysec", tenure("everysec")),
    Kind("redis, appendfsync everysec", redis("--appendonly", "yes", "--appendfsync", "everysec")),
    Kind("redis, no persistence", redis("--appendonly", "no")),
)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def served(kind: Kind, core: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The server, running on its core, and its port."""
    directory = Path(tempfile.mkdtemp(prefix="bench-pipeline-"))
    port = free_port()
    command = ["taskset", "-c", str(core), *kind.command(directory, port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield process, port
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(directory)


def wait_for(port: int) -> None:
    """Until somebody listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on {port}")


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """What the process and all its threads have used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def asked(process: subprocess.Popen[bytes], port: int, shape: Shape, core: int) -> Measured:
    """One run of redis-benchmark against a server that runs."""
    spread = ["-r", str(shape.tenants)] if shape.tenants > 1 else []
    line = ["XADD", "ev", "MAXLEN", "~", "10000", "*", "tenant", "t:__rand_int__", "v", "12.5", "secret", SECRET]
    command = ["taskset", "-c", str(core), "redis-benchmark", "-p", str(port), "-c", "50", "--csv"]
    command += ["-P", str(shape.pipeline), "-n", str(shape.requests), *spread, *line]
    before = cpu_seconds(process)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    # What was answered and is not in the log or the windows yet is work too: wait for it.
    time.sleep(1.2)
    used = cpu_seconds(process) - before
    rows = list(csv.DictReader(line for line in done.stdout.splitlines() if line.startswith('"')))
    row = rows[-1]
    return Measured(
        float(row["rps"]), used / shape.requests * 1e6, float(row["p50_latency_ms"]), float(row["p99_latency_ms"])
    )


def measured(shapes: list[Shape], rounds: int) -> list[dict[str, Any]]:
    """Every server in every shape, in turn, round by round; medians."""
    cores = sorted(os.sched_getaffinity(0))
    found: dict[tuple[Kind, Shape], list[Measured]] = {}
    for number in range(rounds):
        for kind in KINDS:
            with served(kind, cores[0]) as (process, port):
                asked(process, port, shapes[0]._replace(requests=20_000), cores[-1])
                for shape in shapes:
                    found.setdefault((kind, shape), []).append(asked(process, port, shape, cores[-1]))
                    show(number, rounds, kind, shape, found[kind, shape][-1])
    return [row(kind, shape, runs) for (kind, shape), runs in found.items()]


def show(number: int, rounds: int, kind: Kind, shape: Shape, run: Measured) -> None:
    """One line while it runs."""
    print(
        f"round {number + 1}/{rounds}  {kind.name:28}  P={shape.pipeline:<3} tenants={shape.tenants:<5}"
        f" {run.server_cpu_us:6.2f} µs CPU  {run.rps:10,.0f}/s",
        flush=True,
    )


def row(kind: Kind, shape: Shape, runs: list[Measured]) -> dict[str, Any]:
    """The medians of the rounds, as they are kept."""
    medians = Measured(*(statistics.median(column) for column in zip(*runs, strict=True)))
    return {
        "server": kind.name,
        "pipeline": shape.pipeline,
        "tenants": shape.tenants,
        "rps": round(medians.rps),
        "server_cpu_us": round(medians.server_cpu_us, 3),
        "p50_ms": medians.p50_ms,
        "p99_ms": medians.p99_ms,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows for a reader, each with its ratio to Redis with everysec."""
    peers = {
        (r["pipeline"], r["tenants"]): r["server_cpu_us"]
        for r in rows
        if "everysec" in r["server"] and "redis" in r["server"]
    }
    lines = [
        "| P | tenants | server | server CPU µs a request | × redis everysec | requests/s | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in sorted(rows, key=lambda r: (r["tenants"], r["pipeline"])):
        ratio = r["server_cpu_us"] / peers[r["pipeline"], r["tenants"]]
        lines.append(
            f"| {r['pipeline']} | {r['tenants']:,} | {r['server']} | {r['server_cpu_us']:.2f} | {ratio:.2f} "
            f"| {r['rps']:,} | {r['p50_ms']:.2f} | {r['p99_ms']:.2f} |"
        )
    return "\n".join(lines)


def report(rows: list[dict[str, Any]], rounds: int) -> str:
    """The section of RESULTS.md."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout.split()[
        2
    ]
    import tenure as package
    from tenure.pipeline.seal.libcrypto import Libcrypto

    libcrypto = Libcrypto()
    return f"""## The pipeline beside Redis

`make bench-pipeline`: `redis-benchmark -c 50 -P n XADD ev MAXLEN ~ 10000 * tenant t:__rand_int__ v 12.5 secret <64 B>`,
the server on one core, the client on the other, each server in turn in {rounds} rounds, medians. tenure seals every
secret (AES-256-GCM), aggregates windows and writes its log with `everysec`; Redis keeps the plain text. CPU time is the
server's whole process, from the kernel's accounting, and includes what is written within 1.2 s after the last reply.

{table(rows)}

{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.
CPython {platform.python_version()}, {package.implementation} runtime, {libcrypto.version}
({libcrypto.speed():.1f} GB/s AES-256-GCM at the end of the run), redis-server {version}.
"""


def main() -> int:
    """Measure, write, show."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=300_000)
    parser.add_argument("--out", type=Path, default=Path("build/bench-pipeline.json"))
    parser.add_argument("--results", type=Path, default=PAGE)
    args = parser.parse_args()
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        print("redis-server and redis-benchmark are not installed: say `make bench-tools`", file=sys.stderr)
        return 2
    shapes = [Shape(p, tenants, args.requests) for tenants in (1, 1000) for p in (16, 64)]
    rows = measured(shapes, args.rounds)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(rows, indent=1), "utf-8")
    write_section("pipeline", report(rows, args.rounds), args.results)
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
