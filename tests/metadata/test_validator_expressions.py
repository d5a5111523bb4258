"""marshmallow as MockGraph imports it, beside marshmallow as it imports itself."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

_POSTPONED = "import mockgraph.metadata\n"
_PLAIN = "import marshmallow\n"
_TELL = """
import json, re
from marshmallow import ValidationError, validate

def is_valid(address):
    try:
        return validate.Email()(address) == address
    except ValidationError:
        return False

waiting = [
    [name, member]
    for name, validator in vars(validate).items()
    for member, value in (vars(validator).items() if isinstance(validator, type) else ())
    if member.endswith("_REGEX") and not isinstance(value, re.Pattern)
]
addresses = ["a@b.co", "a@localhost", "a@[127.0.0.1]", "a@b", "a b@c.de", "ä@ö.de", "", "@"]
print(json.dumps({
    "waiting": waiting,
    "valid": [is_valid(each) for each in addresses],
    "domain": [validate.Email.DOMAIN_REGEX.pattern, validate.Email.DOMAIN_REGEX.flags],
    "user": [validate.Email.USER_REGEX.pattern, validate.Email.USER_REGEX.flags],
    "stand": [type(value).__name__ for name, value in sorted(vars(validate.Email).items())
              if name.endswith("_REGEX")],
    "compile": re.compile.__module__,
}))
"""


def _told(imported: str) -> dict[str, Any]:
    command = [sys.executable, "-c", imported + _TELL]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("before", ["", _PLAIN], ids=["by MockGraph", "by the user before"])
def test_the_validators_of_marshmallow_are_what_they_are_without(before: str) -> None:
    plain, ours = _told(_PLAIN), _told(before + _POSTPONED)
    assert plain["waiting"] == []
    expected = [] if before else [["Email", "USER_REGEX"], ["Email", "DOMAIN_REGEX"]]
    assert ours.pop("waiting") == expected
    assert ours == {name: value for name, value in plain.items() if name != "waiting"}
    assert plain["stand"] == ["Pattern", "Pattern"]
    assert plain["compile"] == "re"
    assert True in plain["valid"]
    assert False in plain["valid"]
