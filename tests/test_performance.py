"""The measurement of where a request's time goes: of stages that are there, written as it was."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from benchmarks import performance, stages
from benchmarks.around import Used

pytestmark = pytest.mark.long


def test_each_stage_of_the_line_is_measured() -> None:
    before = [getattr(owner, name) for each in stages.STAGES.values() for owner, name in each]
    found = stages.profiles(4)
    assert list(found) == list(stages.CASES)
    assert set().union(*(profile.stages for profile in found.values())) == set(stages.STAGES)
    assert "state" not in found["GET, asked before"].stages
    assert all(profile.total > 0 and profile.peak > 0 for profile in found.values())
    after = [getattr(owner, name) for each in stages.STAGES.values() for owner, name in each]
    assert after == before


def test_what_was_measured_is_written_as_tables_and_a_chart() -> None:
    profile = stages.Profile({"state": 12.5, "journal": 7.5}, 2048)
    found = {"GET": profile, "PATCH": profile}
    line, socket = performance.tables(found, {"<served>": Used(40, 7)})
    assert ["state", "12.5", "12.5"] in line.rows
    assert ["**together**", "**20.0**", "**20.0**"] in line.rows
    assert socket.rows == [["<served>", "40", "7"]]
    assert "### The line" in "\n".join(line.markdown("###"))
    drawn = ET.fromstring(performance.chart(found))
    assert sum(each.tag.endswith("rect") for each in drawn.iter()) > 2 * len(stages.STAGES)


def test_a_request_that_is_refused_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match="answered 404"):
        stages.Line().send(stages.GET._replace(path="/localtest/Security/alerts/none"))
