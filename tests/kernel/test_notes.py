"""Signed notes are read and written as others do, and nothing that was touched is taken for signed."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.kernel.notes import (
    SIGNATURES_MAX,
    NoteError,
    PublicKey,
    Signature,
    Signer,
    bytes_of,
    cosign,
    is_weak,
    read_key,
    read_note,
    read_signature,
    signed_by,
)

# The example of golang.org/x/mod/sumdb/note, which c2sp.org/signed-note describes.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
TEXT = "a log\n7\nthe root\n"


@pytest.fixture
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)), "bank.example")


def test_a_note_of_another_implementation_is_read_and_its_signature_holds() -> None:
    key, note = read_key(NEUMANN), read_note(NEUMANN_NOTE)
    assert signed_by(note, [key]) == [key]
    assert (str(key), str(note)) == (NEUMANN, NEUMANN_NOTE)
    with pytest.raises(NoteError, match="does not belong to this text"):
        signed_by(read_note(NEUMANN_NOTE.replace("answer", "cause")), [key])


def test_the_service_signs_each_log_in_the_name_of_its_origin(signer: Signer) -> None:
    note = read_note(signer.sign(7, TEXT))
    assert (note.text, note.signatures[0].name) == (TEXT, "bank.example/communities/7")
    assert signed_by(note, [signer.key_of(7)]) == [signer.key_of(7)]
    assert signed_by(note, [signer.key_of(8), signer.key_of(0)]) == []
    assert signer.origin_of(0) == "bank.example/city"
    assert signer.sign(7, TEXT) == signer.sign(7, TEXT)


def test_a_key_of_before_is_still_known(signer: Signer) -> None:
    newer = Signer(
        Ed25519PrivateKey.generate(),
        "bank.example",
        old=[Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()],
    )
    note = read_note(signer.sign(7, TEXT))
    assert signed_by(note, newer.keys_of(7)) == [signer.key_of(7)]
    assert signed_by(note, [newer.key_of(7)]) == []


def test_a_witness_signs_with_its_time_and_under_another_kind_of_key(signer: Signer) -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    witness, plain = PublicKey("witness.example", public, is_witness=True), PublicKey("witness.example", public)
    note = read_note(signer.sign(7, TEXT) + f"{cosign(key, 'witness.example', TEXT, 1_700_000_000)}\n")
    assert signed_by(note, [witness, signer.key_of(7)]) == [signer.key_of(7), witness]
    assert signed_by(note, [plain]) == []
    assert read_key(str(witness)) == witness
    assert str(witness) != str(plain)
    signature = note.signatures[1]
    later = signature._replace(value=signature.value[:11] + b"\xff" + signature.value[12:])
    with pytest.raises(NoteError, match=r"signature of witness\.example"):
        signed_by(note._replace(signatures=(later,)), [witness])


@pytest.mark.parametrize("place", [4, 35, 67])
def test_a_signature_with_one_bit_changed_spoils_the_note(signer: Signer, place: int) -> None:
    note = read_note(signer.sign(7, TEXT))
    value = bytearray(note.signatures[0].value)
    value[place] ^= 1
    spoilt = note._replace(signatures=(Signature(note.signatures[0].name, bytes(value)),))
    with pytest.raises(NoteError, match="does not belong"):
        signed_by(spoilt, [signer.key_of(7)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no signature\n",
        "no end\n\n— a aaaaaaaa",
        "a hyphen\n\n- a aaaaaaaa\n",
        "no name\n\n—  aaaaaaaa\n",
        "a plus in the name\n\n— a+b aaaaaaaa\n",
        "no base64\n\n— a aaa aaaa\n",
        "not the one spelling\n\n— a aaaaaaab=\n",
        "a control\x07 character\n\n— a aaaaaaaa\n",
        "too many\n\n" + "— a aaaaaaaa\n" * (SIGNATURES_MAX + 1),
    ],
)
def test_what_is_no_note_is_not_read_as_one(text: str) -> None:
    with pytest.raises(NoteError):
        read_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AxpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc",
        "PeterNeumann",
    ],
)
def test_what_is_no_key_is_not_read_as_one(text: str) -> None:
    with pytest.raises(NoteError):
        read_key(text)


def test_base64_has_one_spelling() -> None:
    assert bytes_of("aGk=") == b"hi"
    for text in ("aGk", "aGl=", "aGk=\n", " aGk=", "a-k=", ""):
        with pytest.raises(NoteError):
            bytes_of(text)
    assert base64.b64decode("aGl=") == b"hi"


def test_a_signature_line_says_whose_it_is() -> None:
    assert read_signature("— 社区.example aGk=") == Signature("社区.example", b"hi")


_prime = 2**255 - 19
_d = -121665 * pow(121666, -1, _prime) % _prime


def twice(point: tuple[int, int]) -> tuple[int, int]:
    """A point of edwards25519 added to itself (RFC 8032, 5.1.4)."""
    x, y = point
    of_both = _d * x * x * y * y % _prime
    return (
        2 * x * y * pow(1 + of_both, -1, _prime) % _prime,
        (y * y + x * x) * pow(1 - of_both, -1, _prime) % _prime,
    )


def test_keys_under_which_anybody_could_sign_are_known_in_every_spelling() -> None:
    eighths = [
        int.from_bytes(bytes.fromhex(text), "little")
        for text in (
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        )
    ]
    of_minus_one = pow(2, (_prime - 1) // 4, _prime)
    for y in eighths:
        # Its double has y = 0, so x is y times a root of -1; it is on the curve, and eight times it is the identity.
        x = of_minus_one * y % _prime
        assert (y * y - x * x - 1 - _d * x * x * y * y) % _prime == 0
        assert twice(twice((x, y))) == (0, _prime - 1)
        assert twice(twice(twice((x, y)))) == (0, 1)
    for y in (0, 1, _prime - 1, _prime, _prime + 1, *eighths):
        for sign in (0, 1):
            assert is_weak((y | sign << 255).to_bytes(32, "little"))
    assert not is_weak(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert not is_weak((2).to_bytes(32, "little"))
