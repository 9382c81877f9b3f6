"""libcrypto by its own test vectors and by another library, and what it says when it cannot be had."""

from __future__ import annotations

import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from tenure.pipeline.seal.libcrypto import Libcrypto, LibcryptoError, NotSealedHere


def view(data: bytes) -> memoryview:
    return memoryview(bytearray(data))


@given(key=st.binary(min_size=32, max_size=32), bound=st.binary(max_size=40), plain=st.binary(max_size=80))
def test_it_seals_as_another_library_does(libcrypto: Libcrypto, key: bytes, bound: bytes, plain: bytes) -> None:
    nonce = b"n" * 12
    sealed = libcrypto.seal(view(key), nonce, bound, plain)
    assert sealed == AESGCM(key).encrypt(nonce, plain, bound)
    assert libcrypto.open(view(key), nonce, bound, sealed) == plain


def test_hmac_is_hmac(libcrypto: Libcrypto) -> None:
    out = view(bytes(32))
    libcrypto.hmac(view(b"k" * 32), b"message", out)
    assert out == hmac.digest(b"k" * 32, b"message", "sha256")


def test_what_was_altered_does_not_open(libcrypto: Libcrypto) -> None:
    sealed = libcrypto.seal(view(b"k" * 32), b"n" * 12, b"", b"plain")
    with pytest.raises(NotSealedHere, match="the tag does not fit"):
        libcrypto.open(view(b"k" * 32), b"n" * 12, b"x", sealed)


def test_what_is_too_short_to_be_sealed_says_so(libcrypto: Libcrypto) -> None:
    with pytest.raises(NotSealedHere, match="has at least 16 bytes, this one has 3"):
        libcrypto.open(view(b"k" * 32), b"n" * 12, b"", b"abc")


def test_a_key_is_never_given_as_bytes(libcrypto: Libcrypto) -> None:
    with pytest.raises(TypeError, match="not writable"):
        libcrypto.seal(memoryview(b"k" * 32), b"n" * 12, b"", b"plain")


def test_a_missing_library_says_what_to_do() -> None:
    with pytest.raises(LibcryptoError, match=r"Install OpenSSL 3 .* or set \[seal\] libcrypto"):
        Libcrypto("/nowhere/libcrypto.so.3")


def test_it_says_which_library_it_is(libcrypto: Libcrypto) -> None:
    assert libcrypto.version.startswith("OpenSSL 3")
    assert libcrypto.speed() > 0
