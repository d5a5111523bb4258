"""New GUIDs and numbers."""

from __future__ import annotations

import uuid

from mockgraph.guids import new_guid, new_number


def test_guids_are_of_version_4_and_each_is_new() -> None:
    made = {new_guid() for _ in range(1000)}
    assert len(made) == 1000
    for each in made:
        parsed = uuid.UUID(each)
        assert (str(parsed), parsed.version, parsed.variant) == (each, 4, uuid.RFC_4122)


def test_numbers_stay_below() -> None:
    assert {new_number(3) for _ in range(200)} == {0, 1, 2}
