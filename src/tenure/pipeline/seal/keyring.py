"""The keys of one process: one for each tenant and epoch, derived, held in locked memory, closed on rotation."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import tenure
from tenure.pipeline.seal.libcrypto import KEY, Libcrypto

__all__ = ["SALT", "DataKey", "Keyring", "Root", "commitment", "data_key", "extract", "key_id"]

SALT: Final = 32
LABEL: Final = b"tenure pipeline 1 "
NAMING: Final = struct.Struct(">II")


@dataclass(frozen=True)
class Root:
    """What a segment's header says about its keys. Nothing in it is secret."""

    salt: bytes
    #: Which master key, so that a wrong key file is named and not guessed at.
    key_id: bytes
    #: AES-GCM alone does not commit to its key; this does, and is compared before anything is opened.
    commitment: bytes


@dataclass(eq=False)
class DataKey:
    """One tenant's key in one epoch, and how many records it has sealed.

    Invariant: exactly one table of keys counts with it, and the keyring never gives it out twice, so no counter
    is ever used twice under it.
    """

    secret: tenure.SecretBuffer
    epoch: int
    serial: int
    used: int = 0


@dataclass
class Keyring:
    """Derives keys and closes them. A salt drawn for each process makes every process's keys its own."""

    libcrypto: Libcrypto
    root_key: tenure.SecretBuffer
    root: Root
    epoch: int = 1
    opened: int = 0
    closed: int = 0
    alive: dict[int, DataKey] = field(default_factory=dict)
    #: Two threads that were given one serial would use one key, and its nonces, twice.
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(
        cls, master: tenure.SecretBuffer, libcrypto: Libcrypto, values: Sequence[str] = (), salt: bytes | None = None
    ) -> Keyring:
        """The keyring of this process, under the master key, for events with these values."""
        salt = os.urandom(SALT) if salt is None else salt
        root_key = extract(libcrypto, salt, master)
        try:
            root = Root(salt, key_id(libcrypto, master), commitment(libcrypto, root_key, values))
        except BaseException:
            root_key.close()
            raise
        return cls(libcrypto, root_key, root)

    def issue(self, tenant: bytes, instead_of: int = 0) -> DataKey:
        """A key for the tenant in this epoch that nothing was ever sealed under; a used up one is closed for it."""
        with self.lock:
            self.opened += 1
            epoch, serial = self.epoch, self.opened
        key = DataKey(data_key(self.libcrypto, self.root_key, tenant, epoch, serial), epoch, serial)
        with self.lock:
            self.alive[serial] = key
            old = self.alive.pop(instead_of, None)
        self._retire([old] if old else [])
        return key

    def rotate(self) -> None:
        """Begin a new epoch: every key is closed, and released when the last lease on it is back."""
        with self.lock:
            alive, self.alive = self.alive, {}
            self.epoch += 1
        self._retire(alive.values())

    def _retire(self, keys: Collection[DataKey]) -> None:
        for key in keys:
            key.secret.close()
        with self.lock:
            self.closed += len(keys)

    def close(self) -> None:
        """Close every key."""
        self.rotate()
        self.root_key.close()


def data_key(
    libcrypto: Libcrypto, root_key: tenure.SecretBuffer, tenant: bytes, epoch: int, serial: int
) -> tenure.SecretBuffer:
    """The key of a tenant: HKDF-SHA256 (RFC 5869), whose second half this is."""
    secret = tenure.SecretBuffer(KEY)
    try:
        with root_key.lease() as root, secret.lease() as out:
            libcrypto.hmac(root, LABEL + b"data key" + NAMING.pack(epoch, serial) + tenant + b"\1", out)
    except BaseException:
        secret.close()
        raise
    return secret


def extract(libcrypto: Libcrypto, salt: bytes, master: tenure.SecretBuffer) -> tenure.SecretBuffer:
    """HKDF's first half: a root key out of the master key and the salt."""
    root_key = tenure.SecretBuffer(KEY)
    try:
        with master.lease() as view, root_key.lease() as out:
            libcrypto.hmac(memoryview(bytearray(salt)), view, out)
    except BaseException:
        root_key.close()
        raise
    return root_key


def commitment(libcrypto: Libcrypto, root_key: tenure.SecretBuffer, values: Sequence[str]) -> bytes:
    """32 bytes that only this root key gives for these names of values, and that tell nothing about it."""
    out = bytearray(KEY)
    names = b"".join(len(name).to_bytes(4, "big") + name for name in map(str.encode, values))
    with root_key.lease() as root:
        libcrypto.hmac(root, LABEL + b"commitment" + names + b"\1", memoryview(out))
    return bytes(out)


def key_id(libcrypto: Libcrypto, master: tenure.SecretBuffer) -> bytes:
    """A name for a master key that tells nothing about it."""
    out = bytearray(KEY)
    with master.lease() as view:
        libcrypto.hmac(view, LABEL + b"key id", memoryview(out))
    return bytes(out[:8])
