"""The master key, its fingerprint, subkeys by purpose, and keyed functions of values. No pandas, no Spark, no AWS.

The master key and the `Keyring` made from it stay on the driver: both refuse to be pickled, hide their bytes in
`repr`, and hand out only 32-byte subkeys, one a purpose (HKDF with SHA-256, RFC 5869). Two projects under one master
key share no subkey.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import itertools
import os
import re
import secrets
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from masking.errors import KeyRefused, UsageError

KEY_BYTES = 32  # 256 bits: the least that is accepted, and what `generate` makes
DEFAULT_ENV = "FHIR_MASK_KEY"
_PREFIX = "fhir-mask-key-1:"
_MAX_TEXT = 8192  # a key file is two lines; a longer one is some other file
_TEXT = re.compile(rf"(?:{re.escape(_PREFIX)})?([0-9A-Fa-f]+)")
#: A key where a name belongs. The prefix tells it anywhere; without it, hex digits alone that are no likely name.
_PASTED = re.compile(rf"{re.escape(_PREFIX)}\s*[0-9a-f]|\A\s*[0-9a-f]{{64,}}\s*\Z", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NOTE = (
    "# Master key of a FHIR masking project. Keep it secret and keep it safe: it links, and can undo, what it masked.\n"
)
_REMEDY = "make one with: fhir-mask keygen --out FILE"


class MasterKey:
    """At least 256 random bits. The only ways in are `generate`, `from_file`, `from_env`, `from_text` and `from_bytes`.

    Text form (what `reveal` gives and `write_key_file` writes): `fhir-mask-key-1:` and 64 or more hex digits; the
    prefix may be absent; blank lines and lines that begin with `#` do not count. All ways in raise `KeyRefused`, which
    never holds the key.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        _refuse_weak(secret)
        self._secret = bytes(secret)

    @classmethod
    def generate(cls) -> MasterKey:
        """A fresh key from the operating system's generator: the one place of the package that draws random bytes."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_bytes(cls, secret: bytes) -> MasterKey:
        """A key from raw bytes (32 or more), as a key service returns them."""
        return cls(secret)

    @classmethod
    def from_text(cls, text: str, source: str = "the key text") -> MasterKey:
        """A key from its text form; `source` is how an error names where it came from."""
        lines = [line.strip() for line in text.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        if not lines:
            raise KeyRefused(f"{source} holds no key; {_REMEDY}")
        found = _TEXT.fullmatch(lines[0]) if len(lines) == 1 else None
        if found is None or len(found[1]) % 2:
            raise KeyRefused(f"{source} is not a key: expected one line, {_PREFIX} and 64 hex digits; {_REMEDY}")
        try:
            return cls(bytes.fromhex(found[1]))
        except KeyRefused as refused:
            raise KeyRefused(f"{source}: {refused}") from None

    @classmethod
    def from_env(cls, name: str = DEFAULT_ENV) -> MasterKey:
        """A key from an environment variable."""
        refuse_pasted_key(name, "the name of a variable")
        if not _VARIABLE.match(name):  # it may be a secret of another form: it is not repeated
            raise KeyRefused("that is no name of an environment variable; give the variable's name, not what it holds")
        text = os.environ.get(name, "")
        if not text.strip():
            raise KeyRefused(f"no key: environment variable {name} is not set; set it or give --key-file; {_REMEDY}")
        return cls.from_text(text, f"environment variable {name}")

    @classmethod
    def from_file(cls, path: str | Path) -> MasterKey:
        """A key from a file that its owner alone may read; with bits for others it is refused, not repaired."""
        refuse_pasted_key(str(path), "a file")
        try:
            with Path(path).open("rb") as file:
                status = os.fstat(file.fileno())  # of the open file, so that it cannot be swapped after the look
                if os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise KeyRefused(f"key file {path} is open to other users; run: chmod 600 {path}")
                content = file.read(_MAX_TEXT + 1)
        except OSError as error:
            raise KeyRefused(f"cannot read key file {path}: {error.strerror}; {_REMEDY}") from None
        if len(content) > _MAX_TEXT:
            raise KeyRefused(f"key file {path} is too long to be a key; {_REMEDY}")
        return cls.from_text(content.decode("ascii", "replace"), f"key file {path}")

    def reveal(self) -> str:
        """The secret itself in its text form: for `keygen` alone, never for a log, an argument or a report."""
        return _PREFIX + self._secret.hex()

    def keyring(self, project: str = "default") -> Keyring:
        """The subkeys of one project; another name gives unlinkable outputs. `UsageError` if the name is blank."""
        return Keyring(self._secret, project)

    def __repr__(self) -> str:
        return "MasterKey(hidden)"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a MasterKey stays on the driver and cannot be pickled or copied; send subkeys instead")


class Keyring:
    """The subkeys of one project by purpose. Stays on the driver: bind maskers here and send those."""

    __slots__ = ("_root", "fingerprint", "project")

    def __init__(self, secret: bytes, project: str) -> None:
        if not project.strip():
            raise UsageError("a project needs a name: --project NAME")
        self.project = project
        self._root = hkdf_extract(encode_parts(b"fhir-masking", b"project", project.encode()), secret)
        #: Names this key and project without revealing either: `fp-` and 16 hex digits, for manifests.
        self.fingerprint = "fp-" + hkdf_expand(self._root, encode_parts(b"fingerprint"), 8).hex()

    def subkey(self, purpose: str) -> bytes:
        """32 bytes for one purpose, such as `"date_shift"`; equal for equal (master key, project, purpose)."""
        return hkdf_expand(self._root, encode_parts(b"subkey", purpose.encode()), KEY_BYTES)

    def __repr__(self) -> str:
        return f"Keyring(fingerprint={self.fingerprint!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Keyring stays on the driver and cannot be pickled or copied; bind the masker and send that")


def refuse_pasted_key(text: str, wanted: str) -> None:
    """`KeyRefused`, without the text, if a key stands where its place belongs: names are printed, logged and listed."""
    if _PASTED.search(text):
        raise KeyRefused(
            f"that is a key, not {wanted}: whoever reads command lines or logs may have seen it, so make another one; "
            "a key stands in a file (--key-file FILE) or a variable (--key-env NAME)"
        )


def write_key_file(path: str | Path, key: MasterKey | None = None) -> MasterKey:
    """Write a key (a fresh one by default) to a new file of mode 600 and return it; `UsageError` if the file exists."""
    key = key or MasterKey.generate()
    try:
        # O_EXCL: an old key is never overwritten, for what it masked could no longer be linked to what comes.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists, and a key is never overwritten; choose another name") from None
    except OSError as error:
        raise UsageError(f"cannot write key file {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{_NOTE}{key.reveal()}\n")
        file.flush()
        os.fsync(file.fileno())
    return key


def _refuse_weak(secret: bytes) -> None:
    """Refuse what no random generator would make. A random key is refused with a chance below one in a billion."""
    size = len(secret)
    if size < KEY_BYTES:
        raise KeyRefused(f"the key is too short: {8 * size} bits where {8 * KEY_BYTES} are needed; {_REMEDY}")
    if any(secret[period:] == secret[:-period] for period in range(1, size // 2 + 1)):
        raise KeyRefused(f"the key is weak: a repeated pattern; {_REMEDY}")
    if len({(after - before) % 256 for before, after in itertools.pairwise(secret)}) < 8:
        raise KeyRefused(f"the key is weak: a counted sequence; {_REMEDY}")
    if _reads_as_text(secret):
        raise KeyRefused(f"the key is weak: it reads as text, such as a passphrase, not as random bytes; {_REMEDY}")
    if len(set(secret)) < 16 or min(len(set(secret[::2])), len(set(secret[1::2]))) < 8:
        raise KeyRefused(f"the key is weak: too few distinct bytes; {_REMEDY}")


def _reads_as_text(secret: bytes) -> bool:
    if sum(0x20 <= byte < 0x7F for byte in secret) >= 0.9 * len(secret):
        return True
    try:
        return secret.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False


def encode_parts(*parts: bytes) -> bytes:
    """Parts joined so that no two different lists give equal bytes: each behind its length in eight bytes."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def hmac_parts(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104, 4231) over `encode_parts`: ("ab", "c") and ("a", "bc") differ. 32 bytes."""
    return hmac.digest(key, encode_parts(*parts), "sha256")


def hkdf_extract(salt: bytes, secret: bytes) -> bytes:
    """RFC 5869, 2.2, with SHA-256: a uniform 32-byte key out of a secret."""
    return hmac.digest(salt or bytes(32), secret, "sha256")


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, 2.3, with SHA-256: `length` bytes (up to 8,160) bound to `info`."""
    if not 0 < length <= 255 * 32:
        raise ValueError("HKDF gives 1 to 8160 bytes")
    block, output = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        output += block
    return output[:length]


def aes_blocks(key: bytes, *, inverse: bool = False) -> Callable[[Any], bytes]:
    """AES of whole 16-byte blocks, each on its own: a function from any buffer of them to bytes."""
    return _aes_blocks(key, inverse, threading.get_ident())


@functools.lru_cache(maxsize=64)
def _aes_blocks(key: bytes, inverse: bool, thread: int) -> Callable[[Any], bytes]:
    # Making a context costs as much as a thousand blocks, and ECB carries nothing from one call to the next; but a
    # context bears one call at a time, so each thread has its own.
    cipher = Cipher(AES(key), ECB())
    return (cipher.decryptor() if inverse else cipher.encryptor()).update


def prf_bytes(key: bytes, values: Iterable[str], domain: str = "", size: int = 16) -> list[bytes]:
    """`size` keyed bytes (1 to 64) for each text: keyed BLAKE2b (RFC 7693), a pseudorandom function of (domain, text).

    BLAKE2b and not HMAC because this runs once a value: it takes one call and about half of the time of HMAC-SHA-256
    (see benchmarks/bench_ff1.py). `key` is a subkey (16 to 64 bytes); `domain` keeps uses of one subkey apart.
    """
    start = _prf_start(key, domain, size)
    digests = []
    for value in values:
        state = start.copy()
        state.update(value.encode("utf-8", "surrogatepass"))
        digests.append(state.digest())
    return digests


@functools.lru_cache(maxsize=64)
def _prf_start(key: bytes, domain: str, size: int) -> hashlib.blake2b:
    # The length-prefixed domain comes first and the text is all that follows, so the joining cannot be misread.
    return hashlib.blake2b(encode_parts(domain.encode("utf-8", "surrogatepass")), key=key, digest_size=size)


def prf_ints(key: bytes, values: Iterable[str], domain: str = "") -> npt.NDArray[np.uint64]:
    """A keyed 64-bit integer for each text, to choose from pools: `pool[i % len(pool)]`.

    The remainder favours an entry of a pool of n by at most n/2**64, which for a pool of a million is 5e-14: nothing
    to see.
    """
    return np.frombuffer(b"".join(prf_bytes(key, values, domain, 8)), dtype=">u8").astype(np.uint64)
