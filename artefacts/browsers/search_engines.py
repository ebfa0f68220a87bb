"""Search engines as data: where the words of a search stand in an address. Adding an engine is one line.

``host`` is matched against the end of the host name, part by part (``*`` is any last part, or two of the kind co.uk), ``path`` against the start
of the path as a regular expression, and the first of ``parameters`` present, in the query or the fragment, holds the words.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit


class Engine(NamedTuple):
    """One line of the table."""

    name: str
    host: str
    path: str
    parameters: tuple[str, ...]
    encoding: str = "cp1252"  # of words that are not UTF-8 and name no encoding: what the engine's older pages used


ENGINES: tuple[Engine, ...] = (
    Engine("Google Maps", "google.*", r"/maps/search/", ("query", "q")),
    Engine("Google Scholar", "scholar.google.*", r"/scholar", ("q", "as_q")),
    Engine("Google Images", "images.google.*", r"/(search|images|imghp|$)", ("q", "as_q")),
    Engine("Google Translate", "translate.google.*", r"/", ("text",)),
    Engine("Google", "google.*", r"/(search|images|custom|cse|webhp|imghp|videosearch|products|$)", ("q", "as_q", "as_epq")),
    Engine("Google Play", "play.google.com", r"/store/search", ("q",)),
    Engine("Gemini", "gemini.google.com", r"/", ("q",)),
    Engine("Bing", "bing.com", r"/(search|images/|videos/|news/|shop|maps|copilotsearch)", ("q", "pq")),
    Engine("MSN Search", "search.msn.*", r"/", ("q",)),
    Engine("Live Search", "search.live.com", r"/", ("q",)),
    Engine("DuckDuckGo", "duckduckgo.com", r"/", ("q",)),
    Engine("DuckDuckGo", "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion", r"/", ("q",)),
    Engine("Yahoo", "search.yahoo.*", r"/", ("p", "q")),
    Engine("Yahoo", "yahoo.*", r"/(search|s/|image|video)", ("p",)),
    Engine("Yandex", "yandex.*", r"/(search|yandsearch|images|video|web|msearch)", ("text",), "cp1251"),
    Engine("Yandex", "ya.ru", r"/(search|images|$)", ("text",), "cp1251"),
    Engine("Baidu", "baidu.com", r"/(s$|s/|baidu|f$|sf/|search|from=)", ("wd", "word", "kw"), "gb18030"),
    Engine("Sogou", "sogou.com", r"/(web|pics|video)", ("query",), "gb18030"),
    Engine("360 Search", "so.com", r"/s", ("q",)),
    Engine("Naver", "search.naver.com", r"/", ("query",), "cp949"),
    Engine("Seznam", "search.seznam.cz", r"/", ("q",)),
    Engine("Ecosia", "ecosia.org", r"/(search|images|videos|news)", ("q",)),
    Engine("Startpage", "startpage.com", r"/(do|sp|search|rvd)", ("query", "q")),
    Engine("Ixquick", "ixquick.com", r"/do", ("query",)),
    Engine("Brave Search", "search.brave.com", r"/", ("q",)),
    Engine("Qwant", "qwant.com", r"/", ("q",)),
    Engine("Mojeek", "mojeek.*", r"/search", ("q",)),
    Engine("Kagi", "kagi.com", r"/(search|images|videos)", ("q",)),
    Engine("Swisscows", "swisscows.com", r"/", ("query",)),
    Engine("Dogpile", "dogpile.com", r"/(serp|search)", ("q",)),
    Engine("Ask", "ask.com", r"/(web|pictures|search|youtube)", ("q",)),
    Engine("AOL", "search.aol.*", r"/", ("q", "query")),
    Engine("AltaVista", "altavista.com", r"/", ("q",)),
    Engine("Lycos", "search.lycos.com", r"/", ("q", "query")),
    Engine("Ahmia", "ahmia.fi", r"/search", ("q",)),
    Engine("Ahmia", "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion", r"/search", ("q",)),
    Engine("Rambler", "nova.rambler.ru", r"/search", ("query",), "cp1251"),
    Engine("Mail.ru", "go.mail.ru", r"/search", ("q",), "cp1251"),
    Engine("Perplexity", "perplexity.ai", r"/search", ("q",)),
    Engine("ChatGPT", "chatgpt.com", r"/", ("q", "prompt")),
    Engine("Internet Archive", "archive.org", r"/search", ("query",)),
    Engine("Yahoo Answers", "answers.yahoo.com", r"/search", ("p",)),
    Engine("YouTube", "youtube.com", r"/results", ("search_query", "q")),
    Engine("Vimeo", "vimeo.com", r"/search", ("q",)),
    Engine("Dailymotion", "dailymotion.com", r"/search", ("query", "q")),
    Engine("Twitch", "twitch.tv", r"/search", ("term",)),
    Engine("Wikipedia", "wikipedia.org", r"/(w/index\.php|wiki/Special:Search)", ("search",)),
    Engine("Reddit", "reddit.com", r"(/r/[^/]+)?/search", ("q",)),
    Engine("X", "x.com", r"/search", ("q",)),
    Engine("X", "twitter.com", r"/(search|#!/search)", ("q",)),
    Engine("TikTok", "tiktok.com", r"/search", ("q",)),
    Engine("Instagram", "instagram.com", r"/explore/search", ("q",)),
    Engine("Facebook", "facebook.com", r"/(search|marketplace/[^/]+/search)", ("q", "query")),
    Engine("VK", "vk.com", r"/(search|video|friends|people)", ("q", "c[q]")),
    Engine("Pinterest", "pinterest.*", r"/search", ("q",)),
    Engine("Tumblr", "tumblr.com", r"/search", ("q",)),
    Engine("Flickr", "flickr.com", r"/search", ("text", "q")),
    Engine("LinkedIn", "linkedin.com", r"/(search|jobs/search)", ("keywords",)),
    Engine("Snapchat", "snapchat.com", r"/search", ("q",)),
    Engine("Telegram directory", "tgstat.com", r"/search", ("q",)),
    Engine("GitHub", "github.com", r"/search", ("q",)),
    Engine("Stack Overflow", "stackoverflow.com", r"/search", ("q",)),
    Engine("Amazon", "amazon.*", r"/(s$|s/|gp/search|.*/s$)", ("k", "field-keywords", "keywords")),
    Engine("eBay", "ebay.*", r"/(sch|sh)", ("_nkw", "satitle")),
    Engine("Gumtree", "gumtree.com", r"/(search|p)", ("q", "search_location")),
    Engine("AliExpress", "aliexpress.*", r"/(wholesale|w/)", ("SearchText",)),
    Engine("Etsy", "etsy.com", r"/(.*/)?search", ("q",)),
    Engine("Argos", "argos.co.uk", r"/search", ("q",)),
    Engine("Rightmove", "rightmove.co.uk", r"/property", ("searchLocation",)),
    Engine("Spotify", "open.spotify.com", r"/search", ("q",)),
    Engine("SoundCloud", "soundcloud.com", r"/search", ("q",)),
    Engine("BBC", "bbc.co.uk", r"/search", ("q",)),
    Engine("IMDb", "imdb.com", r"/find", ("q",)),
    Engine("The Pirate Bay", "thepiratebay.*", r"/(s/|search)", ("q",)),
    Engine("4shared", "4shared.com", r"/web/q", ("query",)),
)

# Engines that put the words into the path itself: everything after the prefix, up to the next slash.
_IN_PATH: tuple[tuple[str, str, str], ...] = (
    ("Google Maps", "google.*", r"/maps/search/([^/?]+)"),
    ("Spotify", "open.spotify.com", r"/search/([^/?]+)"),
    ("Tumblr", "tumblr.com", r"/search/([^/?]+)"),
    ("Vimeo", "vimeo.com", r"/search:([^/?]+)"),
    ("Dailymotion", "dailymotion.com", r"/search/([^/?]+)"),
    ("TikTok", "tiktok.com", r"/tag/([^/?]+)"),
    ("Instagram", "instagram.com", r"/explore/tags/([^/?]+)"),
    ("X", "x.com", r"/hashtag/([^/?]+)"),
    ("The Pirate Bay", "thepiratebay.*", r"/search/([^/?]+)"),
)  # fmt: skip


class Search(NamedTuple):
    """What was searched for, and at which engine."""

    engine: str
    terms: str


def search_in(url: str) -> Search | None:
    """The search an address stands for, or None. Never raises, whatever the address looks like."""
    if "?" not in url and "#" not in url and "/search" not in url and "/tag" not in url and "/explore/" not in url:
        return None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    if _labels().isdisjoint(host.split(".")):
        return None
    for engine, host_pattern, path_pattern in _compiled():
        if host_pattern.search(host) and path_pattern.match(parts.path or "/"):
            for text in (parts.fragment, parts.query):
                fields = _fields(text)
                for name in engine.parameters:
                    terms = _decoded(fields.get(name, ""), engine.encoding, fields.get("ie", ""))
                    if terms:
                        return Search(engine.name, terms)
    for name, host_pattern, path_pattern in _compiled_in_path():
        if host_pattern.search(host) and (found := path_pattern.match(parts.path)):
            terms = _decoded(found[1], "cp1252", "")
            if terms:
                return Search(name, terms)
    return None


def _fields(text: str) -> dict[str, str]:
    """Raw values by name, the first of each."""
    fields: dict[str, str] = {}
    for pair in text.split("&", 1000):
        name, equals, value = pair.partition("=")
        if equals and value:
            fields.setdefault(name.lstrip("?!/"), value)
    return fields


# Of what Python calls codecs only these are character sets of pages; UTF-8 has failed by then.
_CHARACTER_SET = re.compile(r"(?:iso-?8859|cp|windows-|gb|big5|euc|shift|sjis|koi8|latin)[\w-]*$", re.IGNORECASE)


def _decoded(raw: str, legacy: str, stated: str) -> str:
    """Percent-decoded words: UTF-8 where it is that, else the encoding the address states, else the engine's own old one."""
    raw = re.sub(r"%u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)).encode("utf-8", "replace").decode(), raw.replace("+", " "))
    octets = unquote_to_bytes(raw)
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = octets.decode(stated if _CHARACTER_SET.match(stated) else legacy, "backslashreplace")
        except LookupError:
            text = octets.decode(legacy, "backslashreplace")
    return " ".join(text.split())


@cache
def _labels() -> frozenset[str]:
    """Of each host name in the tables the longest part: nearly every address is ruled out by having none of them."""
    hosts = [engine.host for engine in ENGINES] + [host for _, host, _ in _IN_PATH]
    return frozenset(max(host.split(".")[:-1], key=len) for host in hosts)


def _host(pattern: str) -> re.Pattern[str]:
    body = re.escape(pattern).replace(r"\.\*", r"(?:\.(?:com?|org|net))?\.[a-z]{2,12}")
    return re.compile(rf"(?:^|\.){body}$", re.IGNORECASE)


@cache
def _compiled() -> tuple[tuple[Engine, re.Pattern[str], re.Pattern[str]], ...]:
    return tuple((engine, _host(engine.host), re.compile(engine.path, re.IGNORECASE)) for engine in ENGINES)


@cache
def _compiled_in_path() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    return tuple((name, _host(host), re.compile(path, re.IGNORECASE)) for name, host, path in _IN_PATH)
