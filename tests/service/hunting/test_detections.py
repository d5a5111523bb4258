"""Each detection of the corpus runs, over tables that hold nothing."""

from __future__ import annotations

import pytest

from .hunts import detections, hunted

CORPUS = detections()


@pytest.mark.parametrize(
    "query", [query for _, query in CORPUS], ids=[title for title, _ in CORPUS]
)
def test_a_detection_runs(query: str) -> None:
    assert hunted(query).schema


def test_the_corpus_has_one_detection_a_technique() -> None:
    techniques = [title.partition(":")[0] for title, _ in CORPUS]
    assert len(techniques) >= 80
    assert len(set(techniques)) == len(techniques)
