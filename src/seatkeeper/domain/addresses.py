"""E-mail addresses: one spelling for each, so that equal addresses are equal text."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

ADDRESS_MAX: Final = 254
LOCAL_OCTETS_MAX: Final = 64
LABEL_MAX: Final = 63
DOMAIN_MAX: Final = 253
_PUNYCODE: Final = "xn--"
_ATEXT: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def normalized(text: str) -> str | None:
    """The one spelling of an e-mail address, or None when it is not one we accept.

    Trimmed, in lower case, a dot-atom on both sides; an international domain is written in
    punycode, and a dot behind it is dropped. No quoted names, comments or address literals, no
    folding of tags. Source: G12, RFC 5322 3.4.1, RFC 6531, RFC 5891, design §5.
    """
    local, at, domain = unicodedata.normalize("NFC", text.strip().lower()).rpartition("@")
    if not at or not _is_local(local):
        return None
    ascii_domain = _domain(domain)
    if ascii_domain is None:
        return None
    address = f"{local}@{ascii_domain}"
    return address if len(address) <= ADDRESS_MAX else None


def normalized_domain(text: str) -> str | None:
    """The one spelling of a domain, as addresses have it, or None when it is none. Source: A52."""
    return _domain(unicodedata.normalize("NFC", text.strip().lower()))


def domain_of(address: str) -> str:
    """The domain of a normalized address."""
    return address.rpartition("@")[2]


def _domain(domain: str) -> str | None:
    labels = [_label(label) for label in domain.removesuffix(".").split(".")]
    if len(labels) == 1 or not all(labels) or str(labels[-1]).isdigit():
        return None
    ascii_domain = ".".join(map(str, labels))
    return ascii_domain if len(ascii_domain) <= DOMAIN_MAX else None


def _is_local(local: str) -> bool:
    if len(local.encode("utf-8", "surrogatepass")) > LOCAL_OCTETS_MAX:
        return False
    return all(
        atom and all(c in _ATEXT or _is_international(c) for c in atom) for atom in local.split(".")
    )


def _is_international(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character)[0] in "LMN"


def _label(label: str) -> str | None:
    """A label of the domain in ASCII, or None."""
    if label.isascii():
        if label.startswith(_PUNYCODE) and _label(_decoded(label)) != label:
            return None
        return label if _LABEL.fullmatch(label) and len(label) <= LABEL_MAX else None
    # What compatibility mapping changes is not allowed in a label: it only looks like another.
    stable = unicodedata.normalize("NFKC", label) == label.strip("-")
    if not stable or not all(c.isascii() or _is_international(c) for c in label):
        return None
    encoded = _PUNYCODE + label.encode("punycode").decode()
    return encoded if _LABEL.fullmatch(encoded) and len(encoded) <= LABEL_MAX else None


def _decoded(label: str) -> str:
    """What a punycode label stands for; empty when it stands for nothing or for plain ASCII."""
    try:
        text = label.removeprefix(_PUNYCODE).encode().decode("punycode")
    except ValueError:
        return ""
    lowered = unicodedata.normalize("NFC", text.lower())
    return "" if text.isascii() or lowered != text else text
