"""OpenSSL's libcrypto, opened at run time: HMAC, AES-256-GCM, and what it says and shows about itself."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterable, Iterator
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_ubyte, c_uint, c_ulong, c_void_p
from typing import Final

__all__ = ["DEFAULT", "KEY", "NONCE", "TAG", "Libcrypto", "LibcryptoError", "NotSealedHere"]

DEFAULT: Final = "libcrypto.so.3"
KEY: Final = 32
NONCE: Final = 12
TAG: Final = 16
SET_TAG: Final = 0x11
GET_TAG: Final = 0x10

#: What is called, with what it takes and gives back.
FUNCTIONS: Final[dict[str, tuple[object, tuple[object, ...]]]] = {
    "OpenSSL_version": (c_char_p, (c_int,)),
    "OpenSSL_version_num": (c_ulong, ()),
    "EVP_sha256": (c_void_p, ()),
    "HMAC": (c_void_p, (c_void_p, c_void_p, c_int, c_void_p, c_size_t, c_void_p, POINTER(c_uint))),
    "EVP_aes_256_gcm": (c_void_p, ()),
    "EVP_CIPHER_CTX_new": (c_void_p, ()),
    "EVP_CIPHER_CTX_free": (None, (c_void_p,)),
    "EVP_CIPHER_CTX_ctrl": (c_int, (c_void_p, c_int, c_int, c_void_p)),
    "EVP_CipherInit_ex": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_char_p, c_int)),
    "EVP_CipherUpdate": (c_int, (c_void_p, c_void_p, POINTER(c_int), c_char_p, c_int)),
    "EVP_CipherFinal_ex": (c_int, (c_void_p, c_void_p, POINTER(c_int))),
}


class LibcryptoError(RuntimeError):
    """libcrypto cannot be loaded, or refused what it never should."""


class NotSealedHere(Exception):
    """The tag does not fit: other key, other place, or altered since it was sealed."""


class Libcrypto:
    """One loaded libcrypto. Keys come and go through writable buffers only, never as ``bytes``."""

    def __init__(self, path: str = "") -> None:
        self.path = path or DEFAULT
        try:
            self.library = ctypes.PyDLL(self.path)
        except OSError as error:
            raise LibcryptoError(
                f"libcrypto cannot be loaded from {self.path!r}: {error}. "
                "Install OpenSSL 3 (Debian: libssl3) or set [seal] libcrypto to its path."
            ) from error
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments
        self.cipher = self.library.EVP_aes_256_gcm()
        self.digest = self.library.EVP_sha256()

    @property
    def version(self) -> str:
        """What the library says it is."""
        return str(self.library.OpenSSL_version(0).decode())

    def hmac(self, key: memoryview, message: bytes | memoryview, out: memoryview) -> None:
        """HMAC-SHA256 of the message under ``key``, written into ``out``."""
        length = c_uint(0)
        text = message if isinstance(message, bytes) else _address(message)
        if not self.library.HMAC(
            self.digest, _address(key), len(key), text, len(message), _address(out), byref(length)
        ):
            raise LibcryptoError("HMAC-SHA256 was refused by libcrypto")

    def seal(self, key: memoryview, nonce: bytes, bound: bytes, plain: bytes) -> bytes:
        """The sealed form of ``plain``: as many bytes, and a tag which also vouches for ``bound``."""
        out = (c_ubyte * (len(plain) + TAG))()
        with _Context(self, key, sealing=1) as context:
            context.begin(nonce, bound)
            context.step(out, plain)
            context.finish(ctypes.addressof(out) + len(plain))
            context.tag(GET_TAG, ctypes.addressof(out) + len(plain))
        return bytes(out)

    def open(self, key: memoryview, nonce: bytes, bound: bytes, sealed: bytes) -> bytes:
        """What was sealed; NotSealedHere if anything about it is not as it was."""
        return next(self.open_all(key, [(nonce, bound, sealed)]))

    def open_all(self, key: memoryview, records: Iterable[tuple[bytes, bytes, bytes]]) -> Iterator[bytes]:
        """The same for many records under one key: nonce, what it is bound to, and the sealed form of each."""
        with _Context(self, key, sealing=0) as context:
            for nonce, bound, sealed in records:
                size = len(sealed) - TAG
                if size < 0:
                    raise NotSealedHere(f"a sealed record has at least {TAG} bytes, this one has {len(sealed)}")
                out = ctypes.create_string_buffer(size + 1)
                context.begin(nonce, bound)
                context.step(out, sealed[:size])
                context.tag(SET_TAG, sealed[size:])
                if not context.finish(ctypes.addressof(out) + size, may_fail=True):
                    raise NotSealedHere("the tag does not fit")
                yield out.raw[:size]

    def speed(self, size: int = 1 << 18, rounds: int = 16) -> float:
        """Gigabytes this library seals in a second of this machine's CPU time, measured now with a key of zeros."""
        key, plain, out = memoryview(bytearray(KEY)), bytes(size), (c_ubyte * size)()
        with _Context(self, key, sealing=1) as context:
            context.begin(bytes(NONCE), b"")
            context.step(out, plain)
            began = time.thread_time()
            for _ in range(rounds):
                context.step(out, plain)
            return rounds * size / (time.thread_time() - began) / 1e9


class _Context:
    """One use of a key: made, used and freed in one ``with``, so that no key schedule outlives its use."""

    def __init__(self, libcrypto: Libcrypto, key: memoryview, *, sealing: int) -> None:
        self.library = libcrypto.library
        self.written = c_int(0)
        self.context = c_void_p(self.library.EVP_CIPHER_CTX_new())
        if not self.library.EVP_CipherInit_ex(self.context, libcrypto.cipher, None, _address(key), None, sealing):
            self.library.EVP_CIPHER_CTX_free(self.context)
            raise LibcryptoError("AES-256-GCM was refused by libcrypto")

    def begin(self, nonce: bytes, bound: bytes) -> None:
        """Begin a record, with what its tag vouches for besides."""
        if not self.library.EVP_CipherInit_ex(
            self.context, None, None, None, nonce, -1
        ) or not self.library.EVP_CipherUpdate(self.context, None, byref(self.written), bound, len(bound)):
            raise LibcryptoError("AES-256-GCM was refused by libcrypto")

    def __enter__(self) -> _Context:
        return self

    def __exit__(self, *error: object) -> None:
        self.library.EVP_CIPHER_CTX_free(self.context)

    def step(self, out: object, data: bytes) -> None:
        """Take ``data`` through the cipher."""
        if not self.library.EVP_CipherUpdate(self.context, out, byref(self.written), data, len(data)):
            raise LibcryptoError("AES-256-GCM was refused by libcrypto")

    def tag(self, what: int, at: int | bytes) -> None:
        """Read the tag to an address, or set it."""
        if not self.library.EVP_CIPHER_CTX_ctrl(self.context, what, TAG, at):
            raise LibcryptoError("the tag of AES-256-GCM was refused by libcrypto")

    def finish(self, at: int, *, may_fail: bool = False) -> bool:
        """The end of the data; whether the tag fits, when opening."""
        done = bool(self.library.EVP_CipherFinal_ex(self.context, at, byref(self.written)))
        if not done and not may_fail:
            raise LibcryptoError("AES-256-GCM was refused by libcrypto")
        return done


def _address(view: memoryview) -> object:
    """A pointer to the memory of a writable view; it keeps the view exported while it lives."""
    return (c_ubyte * len(view)).from_buffer(view)
