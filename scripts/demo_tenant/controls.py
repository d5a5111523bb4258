"""The controls that the secure score adds up, and how far the tenant had come when.

Their names follow those that Microsoft Secure Score gives its controls.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from demo_tenant.world import TODAY

Milestone = tuple[str, float]


@dataclass(frozen=True)
class Control:
    """A measure: what it is worth, and the scores that were reached on given days.

    ``gradual`` measures move evenly between two days, the others at once on the day.
    """

    name: str
    title: str
    category: str
    service: str
    worth: int
    milestones: tuple[Milestone, ...]
    gradual: bool = False
    cost: str = "Low"
    impact: str = "Low"
    tier: str = "Core"
    threats: tuple[str, ...] = ("Account breach",)

    def score(self, day: date) -> float:
        """Return the points that the control adds on a day."""
        reached = [each for each in self.milestones if _day(each) <= day]
        ahead = [each for each in self.milestones if _day(each) > day]
        if not (self.gradual and ahead):
            return reached[-1][1]
        before, after = reached[-1], ahead[0]
        share = (day - _day(before)).days / (_day(after) - _day(before)).days
        return round(before[1] + share * (after[1] - before[1]), 2)


def _day(milestone: Milestone) -> date:
    return date.fromisoformat(f"{TODAY.year}-{milestone[0]}")


_START = "08-23"
_ENTRA, _EXCHANGE, _SHARES = "Microsoft Entra ID", "Exchange Online", "SharePoint Online"
_PURVIEW, _DEFENDER, _AZURE = "Microsoft Purview", "Microsoft Defender for Endpoint", "Azure"
_LEAK, _MALWARE, _PHISH = ("Data exfiltration",), ("Malware",), ("Phishing", "Account breach")

CONTROLS = (
    Control(
        "AdminMFAV2",
        "Second factor for administrators",
        "Identity",
        _ENTRA,
        10,
        ((_START, 8), ("11-18", 9)),
        threats=("Account breach", "Elevation of privilege"),
    ),
    Control(
        "MFARegistrationV2",
        "Second factor for everybody",
        "Identity",
        _ENTRA,
        9,
        ((_START, 4.6), ("10-01", 4.8), ("10-20", 6.1), ("11-20", 6.4)),
        gradual=True,
        cost="Moderate",
        impact="Moderate",
    ),
    Control(
        "BlockLegacyAuthentication",
        "No sign-in with legacy protocols",
        "Identity",
        _ENTRA,
        8,
        ((_START, 2.1), ("10-02", 5.2)),
        impact="Moderate",
    ),
    Control(
        "SigninRiskPolicy",
        "Sign-ins at risk are challenged",
        "Identity",
        _ENTRA,
        7,
        ((_START, 0), ("10-05", 3.5)),
        impact="Moderate",
        tier="Advanced",
    ),
    Control(
        "UserRiskPolicy",
        "Users at risk change their password",
        "Identity",
        _ENTRA,
        7,
        ((_START, 0),),
        impact="Moderate",
        tier="Advanced",
    ),
    Control(
        "IntegratedApps",
        "Only administrators consent to applications",
        "Identity",
        _ENTRA,
        4,
        ((_START, 0), ("10-03", 4)),
        threats=("Data exfiltration", "Account breach"),
    ),
    Control(
        "OneAdmin",
        "Between two and four global administrators",
        "Identity",
        _ENTRA,
        1,
        ((_START, 1),),
        threats=("Elevation of privilege",),
    ),
    Control("PWAgePolicyNew", "Passwords do not expire", "Identity", _ENTRA, 5, ((_START, 5),)),
    Control(
        "SelfServicePasswordReset",
        "Users can reset their own password",
        "Identity",
        _ENTRA,
        5,
        ((_START, 1),),
        cost="Moderate",
    ),
    Control(
        "mdo_safelinksforemail",
        "Links in messages are checked when opened",
        "Apps",
        _EXCHANGE,
        9,
        ((_START, 6), ("09-10", 9)),
        threats=_PHISH,
    ),
    Control(
        "mdo_safeattachments",
        "Attachments are opened in a sandbox first",
        "Apps",
        _EXCHANGE,
        8,
        ((_START, 5),),
        threats=_MALWARE,
    ),
    Control(
        "mdo_blockmailforward",
        "No automatic forwarding to outside addresses",
        "Apps",
        _EXCHANGE,
        5,
        ((_START, 0), ("09-11", 5)),
        threats=_LEAK,
    ),
    Control(
        "spo_external_sharing_managed",
        "Sharing outside the company is limited",
        "Data",
        _SHARES,
        6,
        ((_START, 2), ("10-27", 4)),
        cost="Moderate",
        impact="High",
        threats=_LEAK,
    ),
    Control(
        "dlp_datalossprevention",
        "Rules against the loss of data are on",
        "Data",
        _PURVIEW,
        5,
        ((_START, 3), ("10-28", 5)),
        cost="Moderate",
        threats=_LEAK,
    ),
    Control(
        "mip_sensitivitylabelspolicies",
        "Documents carry a label",
        "Data",
        _PURVIEW,
        5,
        ((_START, 0.8), ("11-20", 1.9)),
        gradual=True,
        cost="High",
        impact="Moderate",
        tier="Defense in Depth",
        threats=_LEAK,
    ),
    Control(
        "scid_2010",
        "Antivirus is on and up to date",
        "Device",
        _DEFENDER,
        10,
        ((_START, 7.1), ("11-17", 8.5), ("11-20", 8)),
        gradual=True,
        threats=_MALWARE,
    ),
    Control(
        "scid_2501",
        "Office programs cannot start others",
        "Device",
        _DEFENDER,
        9,
        ((_START, 0), ("11-19", 2)),
        impact="Moderate",
        tier="Defense in Depth",
        threats=_MALWARE,
    ),
    Control(
        "scid_3010",
        "Updates are installed within a fortnight",
        "Device",
        _DEFENDER,
        8,
        (
            (_START, 5),
            ("09-08", 4.4),
            ("09-22", 6.1),
            ("10-13", 5.2),
            ("10-27", 6.4),
            ("11-10", 5.5),
            ("11-20", 6),
        ),
        gradual=True,
        cost="Moderate",
        threats=("Malware", "Elevation of privilege"),
    ),
    Control(
        "scid_2090",
        "Disks are encrypted",
        "Device",
        _DEFENDER,
        7,
        ((_START, 5.1), ("11-20", 6.1)),
        gradual=True,
        threats=_LEAK,
    ),
    Control(
        "AzureManagementPorts",
        "Management ports open on request only",
        "Infrastructure",
        _AZURE,
        6,
        ((_START, 2), ("09-02", 5)),
        threats=("Account breach", "Malware"),
    ),
)
