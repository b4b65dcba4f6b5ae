"""Sealing: an answer that tells a secret is kept so that only its own caller opens it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Seal:
    """What closes and opens the answer to one request. Source: ADR 12, I-1, X-6.

    Its key comes from what only the caller has: the bearer token, 256 random bits of which the
    database knows a hash, and the Idempotency-Key, of which it knows a hash too. It is bound to
    the principal and the operation, and the answer to the request.
    """

    credential: bytes = field(repr=False)
    idempotency_key: str = field(repr=False)
    principal_id: UUID
    operation: str
    request_hash: bytes

    def close(self, status: int, body: bytes, *, nonce: bytes) -> bytes:
        """The answer as it is kept. Shapes: nonce, ciphertext, tag. Source: RFC 5116."""
        assert len(nonce) == NONCE_BYTES
        return nonce + AESGCM(self._key()).encrypt(nonce, body, self._bound(status))

    def open(self, status: int, kept: bytes) -> bytes:
        """The answer as it was given. Raises: InvalidTag when it is not the one that was kept."""
        nonce, sealed = kept[:NONCE_BYTES], kept[NONCE_BYTES:]
        return AESGCM(self._key()).decrypt(nonce, sealed, self._bound(status))

    def _key(self) -> bytes:
        # Neither part has a space in it, so no two callers mean the same. Source: RFC 5869.
        made = HKDF(
            algorithm=SHA256(),
            length=KEY_BYTES,
            salt=self.principal_id.bytes,
            info=b"seatkeeper answer " + self.operation.encode(),
        )
        return made.derive(self.credential + b" " + self.idempotency_key.encode())

    def _bound(self, status: int) -> bytes:
        return self.request_hash + status.to_bytes(2, "big")
