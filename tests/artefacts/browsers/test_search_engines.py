"""Words out of addresses: engines, encodings, and addresses that only look like searches."""

from __future__ import annotations

import pytest

from artefacts.browsers.search_engines import ENGINES, search_in


@pytest.mark.parametrize(
    ("url", "engine", "terms"),
    [
        ("https://www.google.co.uk/search?q=caf%C3%A9+near+me&ie=UTF-8", "Google", "café near me"),
        ("http://www.google.fr/search?hl=fr&q=caf%E9", "Google", "café"),
        ("https://www.google.com/#q=foo+bar", "Google", "foo bar"),
        ("http://www.google.com/search?q=first#q=second", "Google", "second"),
        ("https://www.google.com/search?q=a&ie=zlib", "Google", "a"),
        ("https://www.google.com/search?q=%EF%F0%E8&ie=windows-1251", "Google", "при"),
        ("https://www.google.com/maps/search/pubs+near+here/@1,2", "Google Maps", "pubs near here"),
        ("https://www.bing.com/images/search?q=red%20fox&form=QBIR", "Bing", "red fox"),
        ("https://duckduckgo.com/?t=h_&q=a%2Bb&ia=web", "DuckDuckGo", "a+b"),
        ("https://uk.search.yahoo.com/search?p=old+lamps", "Yahoo", "old lamps"),
        ("https://yandex.ru/search/?text=%EF%F0%E8", "Yandex", "при"),
        ("https://www.baidu.com/s?wd=%C4%E3%BA%C3", "Baidu", "你好"),
        ("https://www.ecosia.org/search?q=trees", "Ecosia", "trees"),
        ("https://www.startpage.com/do/search?query=x", "Startpage", "x"),
        ("https://search.brave.com/search?q=x", "Brave Search", "x"),
        ("https://www.qwant.com/?q=x&t=web", "Qwant", "x"),
        ("https://www.amazon.co.uk/s?k=desk+lamp", "Amazon", "desk lamp"),
        ("https://www.ebay.co.uk/sch/i.html?_nkw=old+lamp", "eBay", "old lamp"),
        ("https://www.youtube.com/results?search_query=x+y", "YouTube", "x y"),
        ("https://en.wikipedia.org/w/index.php?search=newt&title=Special:Search", "Wikipedia", "newt"),
        ("https://www.reddit.com/r/gardening/search/?q=sheds", "Reddit", "sheds"),
        ("https://x.com/search?q=%23tag", "X", "#tag"),
        ("https://www.tiktok.com/search?q=dance", "TikTok", "dance"),
        ("https://www.facebook.com/search/top/?q=jo", "Facebook", "jo"),
    ],
)
def test_searches(url: str, engine: str, terms: str) -> None:
    assert search_in(url) == (engine, terms)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.google.com/url?q=https://example.org/",
        "https://www.google.com/search?hl=en",
        "https://www.google.com/search?q=",
        "https://evil-google.com/search?q=x",
        "https://google.com.example.org/search?q=x",
        "http://[::1/?q=x",
        "javascript:alert('?q=x')",
        "file:///home/jo/google.com/search?q=x",
        "https://example.org/search?q=x",
        "",
    ],
)
def test_addresses_that_are_no_searches(url: str) -> None:
    assert search_in(url) is None


def test_a_hostile_address_costs_nothing() -> None:
    assert search_in("https://www.google.com/search?" + "&" * 200_000) is None
    found = search_in("https://www.google.com/search?q=" + "%u0041" * 20_000)
    assert found is not None and set(found.terms) == {"A"}


def test_each_line_of_the_table_is_sound() -> None:
    for engine in ENGINES:
        assert engine.parameters and engine.path.startswith(("/", "(")) and engine.host == engine.host.lower()
        b"x".decode(engine.encoding)
