"""The changelog: in the form of Keep a Changelog, and about the version that there is."""

from __future__ import annotations

import re
from datetime import date

from processes import ROOT

from mockgraph import __version__

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
RELEASES = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_what_is_not_released_comes_first() -> None:
    assert RELEASES[0] == "[Unreleased]"


def test_releases_have_a_version_and_a_day_the_latest_first() -> None:
    parsed = [
        re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", each) for each in RELEASES[1:]
    ]
    assert None not in parsed
    found = [(number(each[1]), date.fromisoformat(each[2])) for each in parsed if each]
    assert found == sorted(found, reverse=True)


def test_the_version_is_that_of_the_last_release_or_the_next_one() -> None:
    versions = [each[1:].partition("]")[0] for each in RELEASES[1:]]
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc|\.dev)\d+)?", __version__)
    assert not versions or number(__version__[:5]) >= number(versions[0])


def test_each_release_says_each_kind_of_change_once() -> None:
    for release in re.split(r"^## .*$", TEXT, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.*)$", release, re.MULTILINE)
        assert set(kinds) <= {*KINDS}
        assert len(kinds) == len(set(kinds))
        assert all(body.strip() for body in re.split(r"^### .*$", release, flags=re.MULTILINE)[1:])
