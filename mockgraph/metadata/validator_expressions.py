"""The import of marshmallow, without the expressions that its validators seldom need.

To compile that of an e-mail address takes longer than all else of marshmallow. It is compiled when
the validator of addresses, which no type of Edm has, first uses it; where marshmallow is imported
already, nothing is left to do.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from importlib import import_module
from typing import Any, Final

_COMPILE: Final[Any] = re.compile


class _Expression(partial[re.Pattern[str]]):
    """An expression of a class, which stands there itself from the first look at it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    def __get__(self, instance: object, owner: type) -> re.Pattern[str]:
        compiled = self()
        setattr(self.owner, self.name, compiled)
        return compiled


def _postponed(*args: Any, **kwargs: Any) -> Any:
    """Compile an expression, but not one in the body of a class of validators."""
    if sys._getframe(1).f_locals.get("__module__") == "marshmallow.validate":
        return _Expression(_COMPILE, *args, **kwargs)
    return _COMPILE(*args, **kwargs)


vars(re)["compile"] = _postponed
try:
    import_module("marshmallow")
finally:
    vars(re)["compile"] = _COMPILE
