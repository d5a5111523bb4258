"""Lines of a store that are put off until they are synced: the file is as if each was written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.errors import StoreFailed
from mockgraph.state import log
from mockgraph.state.log import StoreLog
from mockgraph.state.store_format import End
from state.stores import failing

RECORDS = st.lists(st.binary(max_size=30).map(lambda each: each.hex().encode()), max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), RECORDS),
        st.tuples(st.just("flush"), st.none()),
        st.tuples(st.just("fail"), st.none()),
        st.tuples(st.just("cut"), st.integers(0, 10)),
    ),
    max_size=12,
)


@contextmanager
def opened(folder: str, name: str, *, to_disk: bool) -> Iterator[StoreLog]:
    opened = StoreLog(Path(folder, name))
    opened.read(to_disk=to_disk)
    try:
        yield opened
    finally:
        opened.close()


@given(STEPS)
def test_what_is_put_off_is_written_as_if_at_once(steps: list[tuple[str, Any]]) -> None:
    """Whatever is written, taken back, or fails in between."""
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(folder, "at-once", to_disk=False) as one,
        opened(folder, "put-off", to_disk=True) as other,
    ):
        ends: list[End] = [one.end]
        for step, given in steps:
            if step == "append":
                for each in (one, other):
                    each.append(given)
                ends.append(one.end)
            elif step == "flush":
                other.flush()
            elif step == "fail":
                before = other.written, other.end
                with pytest.MonkeyPatch.context() as patched:
                    patched.setattr(log, "write_all", half_written)
                    if other.written < other.size:
                        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
                            other.flush()
                assert (other.written, other.end) == before
            else:
                del ends[max(1, len(ends) - given) :]
                for each in (one, other):
                    each.cut(ends[-1])
            assert other.end == one.end
            assert other.written <= other.size
        other.flush()
        assert other.path.read_bytes() == one.path.read_bytes()
        assert other.written == one.written == other.path.stat().st_size


def half_written(file: int, data: bytes) -> None:
    os.write(file, data[: len(data) // 2])
    failing(errno.EIO)()


def test_what_is_put_off_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is large goes to the file as it comes; where it cannot, it is taken back."""
    monkeypatch.setattr(log, "_MOST_PUT_OFF", 100)
    with opened(str(tmp_path), "store", to_disk=True) as store:
        store.append([b"first"])
        assert store.written < store.size
        store.append([b"x" * 200, b"last"])
        assert store.size - 100 < store.written < store.size
        before = store.written, store.end
        fails = [False, True]

        def write_all(file: int, data: bytes) -> None:
            os.write(file, data)
            if fails.pop(0):
                failing(errno.ENOSPC)()

        monkeypatch.setattr(log, "write_all", write_all)
        with pytest.raises(StoreFailed, match=os.strerror(errno.ENOSPC)):
            store.append([b"y" * 200, b"z" * 200])
        assert store.end == before[1]
        assert store.written == store.size == store.path.stat().st_size


def test_a_store_that_others_took_is_left_to_them(tmp_path: Path) -> None:
    with opened(str(tmp_path), "store", to_disk=True) as store:
        end = store.end
        store.append([b"ours"])
        store.path.write_bytes(b"another's")
        with pytest.raises(OSError, match="changed by somebody else"):
            store.flush()
        store.cut(end)
        assert store.path.read_bytes() == b"another's"
