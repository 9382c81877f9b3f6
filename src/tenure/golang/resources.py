"""What the collector knows nothing of: native memory, descriptors, a registry keyed by address, pools and pins."""

from __future__ import annotations

from typing import Any

from tenure.golang.instructions import Effect, Maker
from tenure.golang.layout import ADDRESS, ALLOCATED, COPIES, DESCRIPTOR, FREED, UNBORN

__all__ = ["ResourceMaker"]


class ResourceMaker(Maker):
    """Makes the effects of the operations on resources, and of all others."""

    def _block_named(self, what: str) -> dict[int, str]:
        """How the program ends when a native block (by its value) is misused in the way ``what`` says."""
        first = self.layout.count + 1
        return {first + at: f"crash: {what} of {name}" for at, name in enumerate(self.layout.blocks)}

    # -- native memory: an address is never given out twice, so a stale pointer is always seen

    def malloc(self) -> Effect:
        first, writes = self.layout.block - self.layout.count - 1, self.writes
        slots = self.layout.slots[self.operation.name]
        ending = self.ending(f"unfinished: more than {COPIES} of {self.operation.name}")

        def malloc(state: list[Any]) -> str | None:
            for value in slots:
                if state[first + value] == UNBORN:
                    state[first + value] = ALLOCATED
                    state[writes] = value
                    return None
            return ending(state)

        return malloc

    def free(self) -> Effect:
        first, (reads,) = self.layout.block - self.layout.count - 1, self.reads
        double = {value: self.ending(how) for value, how in self._block_named("double free").items()}

        def free(state: list[Any]) -> str | None:
            value = state[reads]
            if not value:
                return None
            if state[first + value] == FREED:
                return double[value](state)
            state[first + value] = FREED
            return None

        return free

    def use(self) -> Effect:
        first, (reads,) = self.layout.block - self.layout.count - 1, self.reads
        after = {value: self.ending(how) for value, how in self._block_named("use after free").items()}
        nothing = self.ending("crash: use of nil")

        def use(state: list[Any]) -> str | None:
            value = state[reads]
            if not value:
                return nothing(state)
            return after[value](state) if state[first + value] == FREED else None

        return use

    # -- descriptors: the lowest number that is free is given out, so a stale one may be another's

    def open(self) -> Effect:
        cell, writes = self.layout.open_files, self.writes
        file = self.layout.files.index(self.operation.name) + 1
        bound = self.ending("unfinished: more than 15 descriptors")

        def open_(state: list[Any]) -> str | None:
            table = list(state[cell])
            if 0 not in table:
                table.append(0)
            number = table.index(0)
            if number > 14:
                return bound(state)
            table[number] = file
            state[cell] = tuple(table)
            state[writes] = DESCRIPTOR + (file - 1) * 16 + number
            return None

        return open_

    def read(self) -> Effect:
        return self._descriptor("read", lambda state, number: None)

    def close(self) -> Effect:
        cell = self.layout.open_files

        def close(state: list[Any], number: int) -> None:
            table = list(state[cell])
            table[number] = 0
            state[cell] = tuple(table)

        return self._descriptor("close", close)

    def _descriptor(self, verb: str, then: Any) -> Effect:
        cell, (reads,), files = self.layout.open_files, self.reads, self.layout.files
        nothing = self.ending(f"crash: {verb} of nil")
        stale = {
            (mine, there): self.ending(
                f"crash: {verb} of {name} meets {files[there - 1]}" if there else f"crash: {verb} of {name} after close"
            )
            for mine, name in enumerate(files, 1)
            for there in range(len(files) + 1)
        }

        def descriptor(state: list[Any]) -> str | None:
            if not state[reads]:
                return nothing(state)
            mine, number = divmod(state[reads] - DESCRIPTOR, 16)
            there = state[cell][number]
            if there != mine + 1:
                return stale[mine + 1, there](state)
            then(state, number)
            return None

        return descriptor

    # -- a registry keyed by address: it keeps nothing alive, and an address may come to be another object's

    def unregister(self) -> Effect:
        cell, (key,) = self.layout.registry, self.reads

        def unregister(state: list[Any]) -> None:
            state[cell] = tuple(entry for entry in state[cell] if entry[0] != state[key])

        return unregister

    def lookup(self) -> Effect:
        cell, (key,), writes = self.layout.registry, self.reads, self.writes

        def lookup(state: list[Any]) -> None:
            state[writes] = {entry[0]: entry[1] for entry in state[cell]}.get(state[key], 0)

        return lookup

    def scan(self) -> Effect:
        """Free the block of every entry whose weak pointer is nil by now, and forget the entry."""
        cell, first = self.layout.registry, self.layout.block - self.layout.count - 1
        double = {value: self.ending(how) for value, how in self._block_named("double free").items()}

        def scan(state: list[Any]) -> str | None:
            stale = [entry for entry in state[cell] if not entry[2]]
            state[cell] = tuple(entry for entry in state[cell] if entry not in stale)
            for _, value, _ in stale:
                if value and state[first + value] == FREED:
                    return double[value](state)
                state[first + value] = FREED
            return None

        return scan

    # -- an address as a number, which keeps nothing alive

    def address(self) -> Effect:
        writes, (reads,) = self.writes, self.reads

        def address(state: list[Any]) -> None:
            state[writes] = state[reads] and ADDRESS + state[reads]

        return address

    def pointer(self) -> Effect:
        writes, (reads,), is_object = self.writes, self.reads, self.layout.object - 1
        gone = self.ending("crash: pointer to a freed object")

        def pointer(state: list[Any]) -> str | None:
            value = state[reads] and state[reads] - ADDRESS
            if value and state[is_object + value] == FREED:
                return gone(state)
            state[writes] = value
            return None

        return pointer

    # -- pools and pins

    def pool(self) -> Effect:
        cell, (reads,) = self.layout.pool, self.reads

        def pool(state: list[Any]) -> None:
            if state[reads]:
                state[cell] = tuple(sorted((*state[cell], (state[reads], 0))))

        return pool

    def pin(self) -> Effect:
        cell, (reads,) = self.layout.pins, self.reads
        panics, nothing = self.rules.pin_of_nil_panics, self.panicking("pin of nil")

        def pin(state: list[Any]) -> str | None:
            if panics and not state[reads]:
                return nothing(state)
            state[cell] = tuple(sorted((*state[cell], state[reads])))
            return None

        return pin

    def unpin(self) -> Effect:
        """Unpin everything, as runtime.Pinner does."""
        cell = self.layout.pins

        def unpin(state: list[Any]) -> None:
            state[cell] = ()

        return unpin
