"""Keys: derived as RFC 5869 says, never given out twice, closed on rotation when the last lease is back."""

from __future__ import annotations

import sys
import threading

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import tenure
from tenure.lifecycle import State
from tenure.pipeline.seal.keyring import DataKey, Keyring
from tenure.pipeline.seal.libcrypto import Libcrypto


def test_a_key_is_what_hkdf_gives(keyring: Keyring) -> None:
    key = keyring.issue(b"t1")
    info = b"tenure pipeline 1 data key" + (1).to_bytes(4, "big") * 2 + b"t1"
    with key.secret.lease() as view:
        assert view == HKDF(SHA256(), 32, b"s" * 32, info).derive(bytes(range(32)))


def test_the_same_tenant_never_gets_the_same_key_again(keyring: Keyring) -> None:
    first, second = keyring.issue(b"t"), keyring.issue(b"t")
    with first.secret.lease() as a, second.secret.lease() as b:
        assert a != b


def test_two_processes_have_no_key_in_common(libcrypto: Libcrypto, master: tenure.SecretBuffer) -> None:
    rings = [Keyring.of(master, libcrypto) for _ in range(2)]
    keys = [ring.issue(b"t") for ring in rings]
    with keys[0].secret.lease() as a, keys[1].secret.lease() as b:
        assert a != b
    assert rings[0].root.key_id == rings[1].root.key_id
    for ring in rings:
        ring.close()


def test_a_name_that_cannot_be_committed_to_leaves_no_key_open(
    libcrypto: Libcrypto, master: tenure.SecretBuffer
) -> None:
    before = tenure.ledger.counts().open
    with pytest.raises(UnicodeEncodeError) as caught:
        Keyring.of(master, libcrypto, ["\ud800"])
    assert caught.tb is not None  # it still holds every frame, so nothing was released by being forgotten
    assert tenure.ledger.counts().open == before


def state_of(key: DataKey) -> State:
    return key.secret.state


def test_a_key_in_use_outlives_the_rotation_until_its_lease_is_back(keyring: Keyring) -> None:
    key = keyring.issue(b"t")
    with key.secret.lease() as view:
        before = bytes(view)
        keyring.rotate()
        assert view == before
        assert state_of(key) is State.CLOSING
        with pytest.raises(tenure.errors.ClosedHandle):
            key.secret.lease()
    assert state_of(key) is State.CLOSED
    assert keyring.epoch == 2


def test_rotation_under_load_releases_every_key_once(keyring: Keyring) -> None:
    """Two threads lease keys while they are rotated away: refused is fine, a key that changes under a lease is not."""
    stop, wrong = threading.Event(), []

    def use() -> None:
        while not stop.is_set():
            key = keyring.issue(b"t")
            try:
                with key.secret.lease() as view:
                    before = bytes(view)
                    if bytes(view) != before or not any(before):
                        wrong.append(key.serial)
            except tenure.errors.ClosedHandle:
                continue

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        keyring.rotate()
    stop.set()
    for thread in threads:
        thread.join()
    keyring.rotate()
    assert not wrong
    assert keyring.opened == keyring.closed


def test_two_threads_are_never_given_one_key(keyring: Keyring) -> None:
    serials: list[int] = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [
            threading.Thread(target=lambda: serials.extend(keyring.issue(b"t").serial for _ in range(500)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(serials) == list(range(1, 2001))


def test_keys_show_nothing(keyring: Keyring) -> None:
    key = keyring.issue(b"t")
    with key.secret.lease() as view:
        secret = bytes(view).hex()
    assert secret not in repr(key)
    assert secret not in repr(keyring)
