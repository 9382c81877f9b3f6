"""A view, a pointer or a temporary outlives the memory it looks into."""

from __future__ import annotations

import ctypes
import gc
import mmap
from typing import Any

import tenure


def _keep(_: object) -> None:
    """The memory belongs to the owner; there is nothing to release."""


def _data_of(lib: Any, owner: tenure.Handle[int]) -> tenure.Buffer:
    with owner.lease() as token:
        return tenure.Buffer.own(lib.hz_data(token), size=64, release=_keep, parent=owner)


def _raw_view(lib: Any, owner: tenure.Handle[int]) -> memoryview:
    with owner.lease() as token:
        return memoryview((ctypes.c_ubyte * 64).from_address(lib.hz_data(token)))


def view(lib: Any, protected: bool) -> None:
    """Protected by the buffer, whose views are leases."""
    owner: tenure.Handle[int] = tenure.open(lib.hz_open, 64, release=lib.hz_close)
    seen = _data_of(lib, owner).view() if protected else _raw_view(lib, owner)
    owner.close()
    print(bytes(seen[:4]), lib.hz_live())
    del seen
    gc.collect()
    tenure.drain()
    print("live", lib.hz_live())


def array(lib: Any, protected: bool) -> None:
    """The same by an array that another library lays over the view."""
    owner: tenure.Handle[int] = tenure.open(lib.hz_open, 64, release=lib.hz_close)
    seen = _data_of(lib, owner).view() if protected else _raw_view(lib, owner)
    laid = (ctypes.c_ubyte * 64).from_buffer(seen)
    del seen
    owner.close()
    print(sum(laid))
    del laid
    gc.collect()
    tenure.drain()
    print("live", lib.hz_live())


def temporary(lib: Any, protected: bool) -> None:
    """Protected by the lease: there is no pointer without one."""

    def open_one() -> tenure.Handle[int]:
        return tenure.open(lib.hz_open, 64, release=lib.hz_close)

    lease = open_one().lease()
    data = lib.hz_data(lease.token)
    if not protected:
        lease.give_back()
        del lease
        gc.collect()
        tenure.drain()
    print(ctypes.string_at(data, 4))
    if protected:
        lease.give_back()
        del lease
        tenure.drain()


def mapped(lib: Any, protected: bool) -> None:
    """Protected by the lease: a map is not unmapped while its address is in use."""
    handle: tenure.Handle[Any] = tenure.open(mmap.mmap, -1, 4096, release=mmap.mmap.close)
    lease = handle.lease()
    address = ctypes.addressof(ctypes.c_char.from_buffer(lease.token))
    if not protected:
        lease.give_back()
    handle.close()
    print(ctypes.string_at(address, 1))
    lease.give_back()
    print(handle.state.name)


def cffi_pointer(lib: Any, protected: bool, path: str) -> None:
    """Protected by the lease: ``ffi.release`` leaves the pointer dangling."""
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("typedef struct hz hz; hz *hz_open(size_t); int hz_close(hz *); int hz_peek(hz *, size_t);")
    c = ffi.dlopen(path)
    if protected:
        handle: tenure.Handle[Any] = tenure.open(c.hz_open, 64, release=c.hz_close)
        with handle.lease() as token:
            handle.close()
            print(c.hz_peek(token, 0))
    else:
        pointer = ffi.gc(c.hz_open(64), c.hz_close)
        ffi.release(pointer)
        print(c.hz_peek(pointer, 0))


def cffi_buffer(lib: Any, protected: bool, path: str) -> None:
    """Protected by the buffer: ``ffi.buffer`` looks at memory that nobody keeps."""
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("typedef struct hz hz; hz *hz_open(size_t); int hz_close(hz *); uint8_t *hz_data(hz *);")
    c = ffi.dlopen(path)
    handle: tenure.Handle[Any] = tenure.open(c.hz_open, 64, release=c.hz_close)
    with handle.lease() as token:
        data = c.hz_data(token)
        if protected:
            seen = tenure.Buffer.own(int(ffi.cast("uintptr_t", data)), size=64, release=_keep, parent=handle).view()
        else:
            seen = ffi.buffer(data, 64)
    handle.close()
    print(bytes(seen[:4]))


def cffi_field(lib: Any, protected: bool) -> None:
    """Protected by the lease: assigning a pointer to a field keeps nothing alive."""
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("typedef struct { char *name; } record;")
    record, text = ffi.new("record *"), b"a name that should live on, and on, and on"
    if protected:
        memory = tenure.Buffer(len(text) + 1)
        lease = memory.lease()
        lease.token[: len(text)] = text
        record.name = ffi.cast("char *", lease.address)
        memory.close()
    else:
        record.name = ffi.new("char[]", text)  # the array dies at the end of this line
    gc.collect()
    print(text == bytes(ffi.buffer(record.name, len(text))))
    if protected:
        lease.give_back()
