"""Write the notation of CSDL files: what is bundled below fixtures/metadata.

    python scripts/write_metadata.py security.csdl > security.edm
    python scripts/write_metadata.py --families fixtures/metadata/v1.0 security.csdl

The second splits the model into one file a family: the types that can be met from some of the
sets of Security and from no others. Descriptions are left aside: they are Microsoft's prose.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from mockgraph.metadata import csdl, notation_writer
from mockgraph.metadata.descriptions import without_descriptions
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.namespaces import Schema
from mockgraph.metadata.reach import part, reachable

ROOT = "microsoft.graph.security"

# The navigation properties of Security that make a family, by the name of its file.
FAMILIES = {
    "alerts": ("alerts",),
    "alerts_v2": ("alerts_v2", "incidents"),
    "attack_simulation": ("attackSimulation",),
    "audit_log": ("auditLog",),
    "cases": ("cases",),
    "collaboration": ("collaboration",),
    "data_security": ("dataSecurityAndGovernance",),
    "identities": ("identities",),
    "records": ("labels", "triggers", "triggerTypes"),
    "secure_scores": ("secureScores", "secureScoreControlProfiles"),
    "subject_rights": ("subjectRightsRequests",),
    "threat_intelligence": ("threatIntelligence",),
}
# Whatever several families reach is shared, but for what alerts bring along.
PREFERRED = "alerts_v2"
SHARED = "shared"
BASE = "microsoft.graph.entity"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--families", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    model = without_descriptions(csdl.read(*options.files))
    if options.families is None:
        sys.stdout.write(notation_writer.write(model))
        return
    short = notation_writer.abbreviations(model)
    for name, family in families(model).items():
        text = notation_writer.write_schemas(family.schemas.values(), short)
        (options.families / f"{name}.edm").write_text(text, encoding="utf-8")


def families(model: Model) -> dict[str, Model]:
    """Return the parts of a model, which together say what it says."""
    reached = {name: set(_reached(model, names)) for name, names in FAMILIES.items()}
    owners: dict[str, list[str]] = {SHARED: []}
    for type_name in model.type_names():
        by = [name for name, types in reached.items() if type_name in types]
        preferred = PREFERRED in by and type_name.startswith(f"{ROOT}.")
        owner = by[0] if len(by) == 1 else PREFERRED if preferred else SHARED
        owners.setdefault(owner, []).append(type_name)
    parts = {name: part(model, names) for name, names in owners.items()}
    parts[SHARED] = Model(_rest(model, parts))
    return parts


def _reached(model: Model, names: tuple[str, ...]) -> dict[str, None]:
    navigation = model.navigation(ROOT)
    return reachable(model, [navigation[each].type.name for each in names], without=[BASE])


def _rest(model: Model, parts: Mapping[str, Model]) -> Iterator[Schema]:
    """Return the schemas without what the other parts say."""
    others = [each for name, each in parts.items() if name != SHARED]
    for schema in model.schemas.values():
        said = [
            each.schemas[schema.namespace] for each in others if schema.namespace in each.schemas
        ]
        yield Schema.of(
            schema.namespace,
            schema.alias,
            types=[
                type_
                for name, type_ in schema.types.items()
                if not any(name in each.types for each in said)
            ],
            operations=[
                operation
                for name, overloads in schema.operations.items()
                for operation in overloads
                if not any(operation in each.operations.get(name, ()) for each in said)
            ],
            terms=schema.terms.values(),
            containers=schema.containers.values(),
            targets={
                target: annotations
                for target, annotations in schema.targets.items()
                if not any(target in each.targets for each in said)
            },
            annotations=schema.annotations,
        )


if __name__ == "__main__":
    main()
