"""Forms that are made of declarations: every parameter has its field."""

from __future__ import annotations

import pytest

from mockgraph.control.actions import ControlAction
from mockgraph.control.catalogue import ACTIONS
from mockgraph.control.console.forms import form_of_action, preset_forms
from mockgraph.control.parameters import parameters_of
from mockgraph.testing.faults import PRESETS


@pytest.mark.parametrize("action", ACTIONS, ids=lambda each: each.name)
def test_each_parameter_has_a_field(action: ControlAction) -> None:
    form = form_of_action(action)
    fields = {each.name: each for each in (*form.first, *form.more)}
    assert fields.keys() == {each.name for each in action.parameters}
    for each in action.parameters:
        field = fields[each.name]
        assert field.help == each.help
        assert field.required == (each.is_required or each.name == action.document)
    assert (form.method, form.path) == (action.method, action.path)


def test_presets_have_forms_that_begin_with_what_is_given() -> None:
    (action,) = (each for each in ACTIONS if each.name == "add_fault")
    forms = preset_forms(action, {"path": "/x"})
    assert [each.title for each in forms] == [*PRESETS, "custom"]
    for form in forms[:-1]:
        fields = [*form.first, *form.more]
        assert {each.name for each in fields} == {
            each.name for each in parameters_of(PRESETS[form.title])
        }
        assert [each.value for each in fields if each.name == "path"] == ["/x"]
        assert form.fixed == f'{{"preset":"{form.title}"}}'


def test_kinds_of_fields() -> None:
    (action,) = (each for each in ACTIONS if each.name == "mint")
    form = form_of_action(action)
    kinds = {each.name: each.kind for each in (*form.first, *form.more)}
    assert (kinds["app"], kinds["permissions"], kinds["lifetime"]) == ("text", "list", "value")
    (rows,) = (each for each in ACTIONS if each.name == "add_hunting_rows")
    assert [each.kind for each in form_of_action(rows).first] == ["text", "json"]
