"""The story of one object: finalized, resurrected, armed again, and not finalized before one more full collection.

Run it: ``python examples/resurrection.py``. The collector runs only where the script says so, so that every line can
be counted on; nothing else about it is staged.
"""

from __future__ import annotations

import gc

import tenure
from tenure import finalizers


class Connection:
    """An ordinary object. No base class, nothing to call."""

    def __init__(self, name: str) -> None:
        self.name = name


rescued: list[Connection] = []


def rescue(connection: Connection) -> None:
    print(f"  fn({connection.name}) runs: the object is alive, and its registration is gone already")
    rescued.append(connection)


def collect(what_for: str) -> None:
    gc.collect()
    tenure.drain()
    print(f"full collection {finalizers.collections()}: {what_for}")


def main() -> None:
    gc.disable()

    print("An object is armed, and dropped.")
    connection = Connection("db")
    tenure.set_finalizer(connection, rescue)
    collect("the object is in use, nothing happens")
    del connection
    collect("it was found unreachable, and fn stored it in a list: resurrected")

    print("\nIt has no finalizer any more. Dropped now, it would just die. It is armed again, and dropped.")
    connection = rescued.pop()
    tenure.set_finalizer(connection, rescue)
    armed_during = finalizers.collections()
    del connection
    tenure.drain()
    print(f"  nothing runs: no full collection has begun since (it was armed in {armed_during})")
    gc.collect(1)
    tenure.drain()
    print("  nothing runs after a young collection either")
    assert not rescued
    collect("one that began after the registration, and found it unreachable anew")

    print("\nWhat happened to it, each step with the number of the full collection that had begun last:")
    for step in finalizers.history(rescued[0]):
        print(f"  {step.collection:>3}  {step.stage.value}")

    first, second = (step for step in finalizers.history(rescued[0]) if step.stage is finalizers.Stage.FOUND)
    print(f"\nFound in collection {first.collection}, and again in {second.collection}: never twice in one.")


if __name__ == "__main__":
    main()
