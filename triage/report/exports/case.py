"""CASE 1.5 (UCO 1.4) JSON-LD: the investigation, its authority, the sources as exhibits, and what was observed on them.

Files that a finding or a hash set match names are files here; so are visits, downloads, devices, accounts and installed programs. Listed files that nothing names
are left out (``dfxml`` and ``bodyfile`` have them all). Written node by node. Identifiers are derived from the case: the same case
gives the same bytes. Form: caseontology.org, read with case_validate of case-utils 0.18 (STANDARDS 2.1).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from triage.report import case as cases
from triage.report.exports.identity import node_uuid
from triage.report.records import nanoseconds, read
from triage.text import visible

CONTEXT = {
    "kb": "urn:uuid-kb:",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_METHODS = {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256"}

Node = dict[str, Any]


def write(folder: Path, out: BinaryIO, _scratch: Path) -> None:
    """The graph of the case in ``folder``. Texts are visible text (no control or bidirectional characters); times are xsd:dateTime in UTC."""
    graph = _Graph(cases.load(folder))
    out.write(f'{{"@context":{json.dumps(CONTEXT)},\n"@graph":['.encode("ascii"))
    for number, node in enumerate(graph.nodes()):
        out.write((",\n" if number else "\n").encode() + json.dumps(node).encode("ascii"))
    out.write(b"\n]}\n")


class _Graph:
    def __init__(self, case: cases.Case) -> None:
        self._case = case
        self._name = str(case.opened.get("case_id") or case.folder.name)
        self._written: set[bytes] = set()
        self._results: dict[str, list[Node]] = {}  # source → references to what was found on it

    def nodes(self) -> Iterator[Node]:
        """Every node once, what is referred to before or after what refers to it."""
        case = self._case
        visit = case.opened.get("visit") or {}
        tool = case.opened.get("tool") or {}
        found: Iterator[Node] = self._observed()
        yield from found
        yield from self._findings()
        yield {**self._node("tool", "uco-tool:Tool"), "uco-core:name": tool.get("name", "triage"), "uco-tool:version": str(tool.get("version", "")), "uco-tool:toolType": "Triage"}  # fmt: skip
        officer = visit.get("officer") or {}
        yield {**self._node("officer", "uco-identity:Person"), "uco-core:name": _text(" ".join(filter(None, (officer.get("number"), officer.get("name")))) or "not recorded")}  # fmt: skip
        yield self._investigation(visit)
        if visit:
            authority = visit.get("authority") or {}
            yield {
                **self._node("authorization", "case-investigation:Authorization"),
                "case-investigation:authorizationType": _text(authority.get("basis") or "not recorded"),
                "case-investigation:authorizationIdentifier": _text(authority.get("reference") or "not recorded"),
            }
        for number, source in enumerate(case.sources, 1):
            yield from self._source(number, source)

    def _investigation(self, visit: dict[str, Any]) -> Node:
        objects = [self._ref("input", source["id"]) for source in self._case.sources]
        return {
            **self._node("investigation", "case-investigation:Investigation"),
            "uco-core:name": _text(visit.get("reference") or self._name),
            "case-investigation:investigationForm": "case",
            "case-investigation:focus": "triage of digital devices",
            **({"case-investigation:relevantAuthorization": self._ref("authorization")} if visit else {}),
            **({"uco-core:object": objects} if objects else {}),
        }

    def _source(self, number: int, source: dict[str, Any]) -> Iterator[Node]:
        name, results = source["id"], self._results.get(source["id"], [])
        attempts = self._case.attempts
        digest = source.get("sha256")
        yield {
            **self._node("evidence", name, type="uco-observable:ObservableObject"),
            "uco-core:name": _text(source.get("path") or name),
            "uco-core:hasFacet": [
                {
                    **self._node("evidence-facet", name, type="uco-observable:FileFacet"),
                    "uco-observable:filePath": _text(source.get("path") or name),
                    **_size(source.get("size")),
                },
                *([self._content(name, {"sha256": digest}, source.get("size"))] if digest else []),
            ],
        }
        yield {
            **self._node("input", name, type="case-investigation:ProvenanceRecord"),
            "case-investigation:exhibitNumber": str(number),
            "uco-core:description": _text(f"{source.get('kind')}: {source.get('path')}"),
            "uco-core:object": [self._ref("evidence", name)],
        }
        if results:
            yield {
                **self._node("output", name, type="case-investigation:ProvenanceRecord"),
                "case-investigation:exhibitNumber": f"{number}/1",
                "case-investigation:rootExhibitNumber": str(number),
                "uco-core:object": results,
            }
        action: Node = {
            **self._node("action", name, type="case-investigation:InvestigativeAction"),
            "uco-core:name": "triaged",
            "uco-action:performer": self._ref("officer"),
            "uco-action:instrument": [self._ref("tool")],
            "uco-action:object": [self._ref("input", name)],
        }
        if attempts:
            action |= _time("uco-action:startTime", attempts[0].started) | _time("uco-action:endTime", attempts[-1].finished)
        if results:
            action["uco-action:result"] = [self._ref("output", name)]
        yield action

    def _findings(self) -> Iterator[Node]:
        for finding in self._case.findings:
            about = []
            if finding.get("path"):
                yield from self._file(finding["source"], finding["volume"], finding["path"], finding["hashes"], None)
                about = [self._ref("file", str(finding["source"]), str(finding["volume"]), finding["path"])]
            yield {
                **self._node("finding", finding["id"], type="uco-core:Annotation"),
                "uco-core:name": _text(finding["title"]),
                "uco-core:statement": [
                    _text(f"{finding['explanation']} Innocent explanations: {' '.join(finding['innocent_explanations'])}")
                ],
                "uco-core:tag": [f"severity {finding['severity']}", finding["indicates"], _text(finding["category"])],
                "uco-core:object": about or [self._ref("input", source["id"]) for source in self._case.sources[:1]],
            }

    def _observed(self) -> Iterator[Node]:
        makers: dict[str, Callable[[dict[str, Any]], Iterator[Node]]] = {
            "PageVisit": self._visit,
            "Download": self._download,
            "AttachedDevice": self._device,
            "UserAccount": self._account,
            "InstalledProgram": self._program,
            "HashMatch": self._match,
        }
        for record in read(self._case.folder):
            if record.kind == "observation" and (make := makers.get(record.data["type"])) is not None:
                yield from make(record.data)

    def _match(self, item: dict[str, Any]) -> Iterator[Node]:
        where = item["provenance"]
        yield from self._file(where["source"], where["volume"], where["path"], item.get("hashes") or {}, item.get("size"))

    def _visit(self, item: dict[str, Any]) -> Iterator[Node]:
        yield from self._url(item["url"])
        browser = item.get("browser") or "browser not recorded"
        yield from self._once({**self._node("application", browser, type="uco-observable:Application"), "uco-core:name": _text(browser)})
        count = item.get("visit_count")
        entry = {
            **self._node("visit-entry", item["id"], type="uco-observable:URLHistoryEntry"),
            "uco-observable:url": self._ref("url", item["url"]),
            **({"uco-observable:pageTitle": _text(item["title"])} if item.get("title") else {}),
            **({"uco-observable:browserUserProfile": _text(item["profile"])} if item.get("profile") else {}),
            **({"uco-observable:visitCount": _integer(count)} if isinstance(count, int) and count >= 0 else {}),
            **_time("uco-observable:lastVisit", item.get("time")),
        }
        facet = {
            **self._node("visit-facet", item["id"], type="uco-observable:URLHistoryFacet"),
            "uco-observable:browserInformation": self._ref("application", browser),
            "uco-observable:urlHistoryEntry": [entry],
        }
        yield self._found(item, {**self._node("visit", item["id"], type="uco-observable:URLHistory"), "uco-core:hasFacet": [facet]})

    def _download(self, item: dict[str, Any]) -> Iterator[Node]:
        path = item.get("path") or ""
        facet = {
            **self._node("download-facet", item["id"], type="uco-observable:FileFacet"),
            **(
                {"uco-observable:fileName": _text(path.replace("\\", "/").rpartition("/")[2]), "uco-observable:filePath": _text(path)}
                if path
                else {}
            ),
            **_size(item.get("bytes")),
        }
        node = {
            **self._node("download", item["id"], type="uco-observable:File"),
            "uco-core:description": [_text(f"Downloaded from {item.get('url') or 'an address that is not recorded'}")],
            "uco-core:hasFacet": [facet],
        }
        yield self._found(item, node)

    def _device(self, item: dict[str, Any]) -> Iterator[Node]:
        facet = {
            **self._node("device-facet", item["id"], type="uco-observable:DeviceFacet"),
            "uco-observable:deviceType": _text(item["kind"]),
            **({"uco-observable:model": _text(item["model"])} if item.get("model") else {}),
            **({"uco-observable:serialNumber": _text(item["serial"])} if item.get("serial") else {}),
        }
        yield self._found(item, {**self._node("device", item["id"], type="uco-observable:Device"), "uco-core:hasFacet": [facet]})

    def _account(self, item: dict[str, Any]) -> Iterator[Node]:
        facet = {
            **self._node("account-facet", item["id"], type="uco-observable:AccountFacet"),
            "uco-observable:accountIdentifier": _text(item.get("identifier") or item["name"]),
            **_time("uco-observable:observableCreatedTime", item.get("created")),
        }
        node = {
            **self._node("account", item["id"], type="uco-observable:UserAccount"),
            "uco-core:name": _text(item["name"]),
            "uco-core:hasFacet": [facet],
        }
        yield self._found(item, node)

    def _program(self, item: dict[str, Any]) -> Iterator[Node]:
        facet = {
            **self._node("program-facet", item["id"], type="uco-observable:ApplicationFacet"),
            "uco-observable:applicationIdentifier": _text(item.get("identifier") or item["name"]),
            **({"uco-observable:version": _text(item["version"])} if item.get("version") else {}),
        }
        node = {
            **self._node("program", item["id"], type="uco-observable:Application"),
            "uco-core:name": _text(item["name"]),
            "uco-core:hasFacet": [facet],
        }
        yield self._found(item, node)

    def _url(self, url: str) -> Iterator[Node]:
        facet = {**self._node("url-facet", url, type="uco-observable:URLFacet"), "uco-observable:fullValue": _text(url)}
        yield from self._once({**self._node("url", url, type="uco-observable:URL"), "uco-core:hasFacet": [facet]})

    def _file(self, source: str | None, volume: str | None, path: str, hashes: dict[str, str], size: int | None) -> Iterator[Node]:
        about = (str(source), str(volume), path)
        name = path.rpartition("/")[2]
        facets = [
            {
                **self._node("file-facet", *about, type="uco-observable:FileFacet"),
                "uco-observable:fileName": _text(name),
                "uco-observable:filePath": _text(path),
                **({"uco-observable:extension": _text(name.rpartition(".")[2])} if "." in name else {}),
                **_size(size),
            }
        ]
        if any(method in hashes for method in _METHODS):
            facets.append(self._content("\x1f".join(about), hashes, size))
        node = {**self._node("file", *about, type="uco-observable:File"), "uco-core:hasFacet": facets}
        for new in self._once(node):
            self._results.setdefault(str(source), []).append({"@id": new["@id"]})
            yield new

    def _content(self, about: str, hashes: dict[str, str], size: int | None) -> Node:
        return {
            **self._node("content", about, type="uco-observable:ContentDataFacet"),
            **_size(size),
            "uco-observable:hash": [
                {
                    **self._node("hash", about, method, type="uco-types:Hash"),
                    "uco-types:hashMethod": _METHODS[method],
                    "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": hashes[method].upper()},
                }
                for method in _METHODS
                if hashes.get(method)
            ],
        }

    def _found(self, item: dict[str, Any], node: Node) -> Node:
        self._results.setdefault(str(item["provenance"]["source"]), []).append({"@id": node["@id"]})
        return node

    def _once(self, node: Node) -> Iterator[Node]:
        key = node["@id"].encode()
        if key not in self._written:
            self._written.add(key)
            yield node

    def _id(self, kind: str, *about: str) -> str:
        return f"kb:{kind}-{node_uuid(self._name, kind, *about)}"

    def _ref(self, kind: str, *about: str) -> Node:
        return {"@id": self._id(kind, *about)}

    def _node(self, kind: str, *about: str, type: str = "") -> Node:
        # ``_node("tool", "uco-tool:Tool")``: one of a kind, named by its type alone.
        if not type:
            return {"@id": self._id(kind), "@type": about[0]}
        return {"@id": self._id(kind, *about), "@type": type}


def _text(value: Any) -> str:
    return visible(str(value))


def _integer(value: int) -> Node:
    return {"@type": "xsd:integer", "@value": str(value)}


def _size(value: int | None) -> Node:
    return {"uco-observable:sizeInBytes": _integer(value)} if isinstance(value, int) and value >= 0 else {}


def _time(name: str, text: str | None) -> Node:
    return {name: {"@type": "xsd:dateTime", "@value": text}} if isinstance(text, str) and nanoseconds(text) is not None else {}
