"""The profiles of the controls that the secure score adds up.

As in the live service, a profile's id is the name that the scores' ``controlName`` refers to;
``controlName`` itself stands there too, as Microsoft's beta page for the type has it.
"""

from __future__ import annotations

from demo_tenant.controls import CONTROLS, Control
from demo_tenant.people import BEA, DANA
from demo_tenant.world import TENANT_ID, Properties, given, stamp

_CERTIFICATION = {
    "Identity": "A.8.5",
    "Data": "A.8.12",
    "Device": "A.8.7",
    "Apps": "A.8.23",
    "Infrastructure": "A.8.20",
}


def control_profiles() -> list[Properties]:
    """The profile of each control, the most valuable first by rank."""
    ranked = sorted(CONTROLS, key=lambda each: (-each.worth, each.name))
    return [_profile(each, ranked.index(each) + 1) for each in CONTROLS]


def _profile(control: Control, rank: int) -> Properties:
    certified = _CERTIFICATION[control.category]
    changed = stamp(f"{control.milestones[-1][0]} 00:00:00")
    return given(
        id=control.name,
        actionType="Config",
        actionUrl=f"https://soc.tidewell.example/controls/{control.name}",
        azureTenantId=TENANT_ID,
        complianceInformation=[
            {
                "certificationControls": [
                    {"name": certified, "url": f"https://iso27001.example/{certified}"}
                ],
                "certificationName": "ISO/IEC 27001:2022",
            }
        ],
        controlCategory=control.category,
        controlName=control.name,
        controlStateUpdates=_state_updates(control),
        deprecated=False,
        implementationCost=control.cost,
        lastModifiedDateTime=changed,
        maxScore=control.worth,
        rank=rank,
        remediation=f"Configure it in {control.service}: {control.title[0].lower()}"
        f"{control.title[1:]}.",
        remediationImpact=f"Impact on users: {control.impact.lower()}.",
        service=control.service,
        threats=control.threats,
        tier=control.tier,
        title=control.title,
        userImpact=control.impact,
        vendorInformation={"provider": "SecureScore", "vendor": "Microsoft"},
    )


def _state_updates(control: Control) -> list[Properties]:
    """The decisions of people on controls, with their comments."""
    if control.name == "UserRiskPolicy":
        return [_update("Ignored", "Waits until self-service reset is there.", "09-14 10:00:00")]
    if control.name == "mdo_safeattachments":
        return [_update("ThirdParty", "Oakmere did this until August.", "08-28 16:10:00")]
    if len(control.milestones) > 1:
        day, _ = control.milestones[1]
        return [_update("Reviewed", "Planned and done.", f"{day} 00:00:00")]
    return []


def _update(state: str, comment: str, when: str) -> Properties:
    return {
        "assignedTo": DANA.principal,
        "comment": comment,
        "state": state,
        "updatedBy": BEA.principal,
        "updatedDateTime": stamp(when),
    }
