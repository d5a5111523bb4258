"""The corpus that fuzzing begins with, findings of earlier attacks among it, and how it mutates."""

from __future__ import annotations

import gzip
import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

HOST = b"Host: localhost\r\n"
AUTH = b"Authorization: Bearer x\r\n"
PATCH = b"PATCH /localtest/Security HTTP/1.1\r\n" + HOST + AUTH

MESSAGES = [
    b"GET / HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" * 500,
    PATCH + b"Content-Length: " + b"9" * 4301 + b"\r\n\r\n",
    PATCH + b"Content-Length: " + b"0" * 4301 + b"2\r\n\r\n{}",
    (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") * 1000 + b"GET / HTTP/1.1\r\nHos",
    b"GET / HTTP/1.1\r\n" + HOST + b"\r\n" + PATCH + b"Expect: 100-continue\r\n\r\n",
    b"PATCH / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\n{}\r\n0\r\n\r\n",
    PATCH + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nX: y\r\n\r\n",
    PATCH + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    PATCH + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\n" + HOST + b"\r\n\x16\x03\x01",
    b"GET http://u:p@localhost/v1.0?token=x HTTP/1.1\r\n" + HOST + b"\r\n",
    b"DELETE /v1.0/security/alerts('a%00b') HTTP/1.1\r\n" + HOST + AUTH + b"\r\n",
    b"GET /v1.0/security/alerts/%ff HTTP/1.1\r\n" + HOST + AUTH + b"\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    PATCH
    + b"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
    + gzip.compress(b"{}", mtime=0)[:4],
]

QUERIES = [
    b"$filter=tags/any(a:$it/tags/any(b:$it/tags/any(c:c eq 'x')))",
    b"$filter=comments/any(- a:a eq 'x')",
    b"$filter=concat(concat(title,title),concat(title,title)) eq 'x'&$count=true",
    b"$filter=@a eq 'x'&@a=concat(@b,@b)&@b=title",
    b"$expand=incidents($expand=alerts($expand=*;$levels=max);$filter=status eq 'active')",
    b'$search="a b" OR (NOT c AND d)',
    b"$orderby=concat(title,'x') desc,severity&$top=5&$skip=1&$select=id,title",
    b"$filter=id in ('a','b','O''H') and createdDateTime ge 2024-05-01T12:00:00Z",
    b"$filter=not (severity has 'high') or 1 div 0 eq -1.5e3 and isof(evidence,'x')",
    b"$skiptoken=n1-1&$format=application/json;odata.metadata=full",
]

CSDL = [
    b"""<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:DataServices><Schema Namespace="a.b" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EnumType Name="e" IsFlags="true"><Member Name="x" Value="1"/></EnumType>
<ComplexType Name="c" OpenType="true"><Property Name="p" Type="Collection(a.b.e)"/></ComplexType>
<EntityType Name="t"><Key><PropertyRef Name="id"/></Key>
<Property Name="id" Type="Edm.String" Nullable="false"/><Property Name="c" Type="a.b.c"/>
<NavigationProperty Name="n" Type="Collection(a.b.t)" ContainsTarget="true"/></EntityType>
<Action Name="do" IsBound="true"><Parameter Name="x" Type="a.b.t"/></Action>
<EntityContainer Name="C"><EntitySet Name="ts" EntityType="a.b.t"/></EntityContainer>
<Annotations Target="a.b.t"><Annotation Term="x.y" String="d"/></Annotations>
</Schema></edmx:DataServices></edmx:Edmx>""",
    b"""<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>""",
]

PAGES = [
    b"---\ntitle: x\n---\n# Update\n\n## HTTP request\n\n```http\nPATCH /security/x\n```\n\n"
    b'### Request\n\n<!-- {"blockType": "request", "name": "x"} -->\n``` http\n'
    b"PATCH https://graph.microsoft.com/v1.0/security\n"
    b"Content-type: application/json\n\n{}\n```\n\n"
    b'### Response\n\n<!-- {"blockType": "response", "@odata.type": "x"} -->\n``` http\n'
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}\n```\n\n| a | b |\n|:--|:--|\n| c | d |\n",
]

SEED: dict[str, Any] = {
    "Security": {"providerStatus": [{"provider": "p"}], "alerts": [{"id": "a", "tags": ["x"]}]},
    "Directory": {"apps": [{"appId": "reader", "secrets": ["s"]}]},
}
SEEDS = [json.dumps(SEED).encode(), b'{"Directory": {}}', b'{"Hunting": {"DeviceEvents": [{}]}}']

_SPLICES = [b"\x00", b"\xff", b"'", b'"', b"(", b")", b"/", b"\r\n", b"%00", b"9" * 400, b"{" * 300]


@st.composite
def mutated(draw: st.DrawFn, corpus: list[bytes]) -> bytes:
    """One of a corpus, with some of it cut out, doubled, exchanged or spliced."""
    data = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(0, 4))):
        begin, end = sorted(draw(st.integers(0, len(data))) for _ in range(2))
        end = min(end, begin + draw(st.sampled_from([0, 1, 8, 200])))
        part = draw(_parts(corpus) | st.just(data[begin:end] * 2))
        data = data[:begin] + part + data[end:]
    return data


def _parts(corpus: list[bytes]) -> SearchStrategy[bytes]:
    return (
        st.binary(max_size=4)
        | st.sampled_from(_SPLICES)
        | st.sampled_from(corpus).map(lambda other: other[: len(other) // 2])
    )
