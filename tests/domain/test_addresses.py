"""E-mail addresses in one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.addresses import domain_of, normalized, normalized_domain


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM\t", "ada@example.com"),
        ("ada@example.com.", "ada@example.com"),  # B045: a dot behind the domain
        ("ada+work@example.com", "ada+work@example.com"),  # a tag is another address
        ("a.d-a_1@ex-ample.co.uk", "a.d-a_1@ex-ample.co.uk"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),  # not strasse.example
        ("\u0430da@example.com", "\u0430da@example.com"),  # Cyrillic a: somebody else
        ("ada@ex\u0430mple.com", "ada@xn--exmple-4nf.com"),
        ("ju\u0308rgen@example.com", "j\u00fcrgen@example.com"),  # composed
        ("用户@例子.测试", "用户@xn--fsqu00a.xn--0zwm56d"),
        ("a@123.example", "a@123.example"),
    ],
)
def test_g12_one_spelling_for_each_address(text, spelling):
    assert normalized(text) == spelling
    assert normalized(spelling) == spelling


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@@example.com",
        "ada@example..com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada lovelace@example.com",
        '"ada"@example.com',
        "ada(comment)@example.com",
        "ada@[192.0.2.1]",
        "ada@192.0.2.1",
        "ada@-example.com",
        "ada@example-.com",
        "ada@exa_mple.com",
        "ada@example.com..",
        "ada\x00@example.com",
        "ada@exam\u200dple.com",
        "\u200dada@example.com",
        "ada@\uff45xample.com",  # a full-width e only looks like example.com
        "ada@b\u00fc cher.example",
        "ada@-b\u00fccher.example",
        "ada@xn--.com",
        "ada@xn--a.com",
        "ada@xn--example-.com",
        "ada@xn--99999999.com",
        "ada@xn--BCHER-KVA0.example",
        "ada@" + "a" * 64 + ".com",
        "ada@" + "\u00fc" * 64 + ".com",
        "a" * 65 + "@example.com",
        "\u00fc" * 33 + "@example.com",
        "a" * 60 + "@" + ".".join(["b" * 60] * 4),
        "a@" + ".".join(["b" * 62] * 4) + ".com",
        "Ada <ada@example.com>",
        "\ud800@example.com",
    ],
)
def test_what_is_no_address_we_accept(text):
    assert normalized(text) is None


@given(st.text(max_size=40) | st.builds("{}@{}.{}".format, *[st.text(max_size=12)] * 3))
def test_normalizing_never_fails_and_twice_changes_nothing(text):
    once = normalized(text)
    assert once is None or normalized(once) == once


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        (" Example.COM. ", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("mail.example.com", "mail.example.com"),
        ("@example.com", None),
        ("ada@example.com", None),
        ("*.example.com", None),
        ("localhost", None),
        ("127.0.0.1", None),
        ("", None),
        (f"{'a' * 64}.example", None),
    ],
)
def test_a52_one_spelling_for_each_domain(text, spelling):
    assert normalized_domain(text) == spelling
    if spelling:
        assert domain_of(normalized(f"ada@{text.strip()}")) == spelling
