"""An engineer who is about to leave takes drawings with him."""

from __future__ import annotations

from demo_tenant.alert import Alert, Step, Story
from demo_tenant.evidence import mailbox
from demo_tenant.machines import DRAWINGS, ENG_31, PRICES, file_state, host_state
from demo_tenant.network import (
    DROPFOLD,
    OFFICE_EXIT,
    SHARED_FILES,
    STORAGE,
    STORAGE_APP,
    app_state,
    outbound,
    signed_in,
)
from demo_tenant.people import BEA, CALLUM, NOOR, user_state
from demo_tenant.world import CLOUD_APPS, DATA_LOSS, ENDPOINT

_CONFIRMED = "truePositive"
_URL = "https://dropfold.example/u/cstrand/upload"

_ALERTS = (
    Alert(
        title="Unusual download by a person who is leaving",
        provider=CLOUD_APPS,
        category="MassDownload",
        tactic="Collection",
        techniques=("T1213.002",),
        severity="medium",
        event="10-19 17:22:00",
        noticed=70,
        lasted=48,
        description="Callum Strand, whose contract ends in October, fetched 311 design files.",
        advice=("Tell human resources before anything else.",),
        confidence=72,
        tags=("leaver",),
        users=(user_state(CALLUM, **signed_in(OFFICE_EXIT, "10-19 17:05:00")),),
        apps=(app_state(SHARED_FILES),),
        steps=(
            Step("10-20 08:10:00", NOOR, "inProgress", "Watching; people team informed."),
            Step("10-26 16:00:00", BEA, "resolved", None, _CONFIRMED),
        ),
        determination="maliciousUserActivity",
    ),
    Alert(
        title="Removable storage used for the first time on a host",
        provider=ENDPOINT,
        category="SuspiciousActivity",
        tactic="Exfiltration",
        techniques=("T1052.001",),
        severity="informational",
        event="10-21 18:03:11",
        noticed=4,
        description="A USB disk that is not of the company was plugged in to ENG-WS-031.",
        advice=("Allow encrypted company disks only.",),
        triggers={"deviceClass": "USB mass storage"},
        users=(user_state(CALLUM, logonType="interactive"),),
        hosts=(host_state(ENG_31),),
        steps=(Step("10-26 16:02:00", BEA, "resolved", None, _CONFIRMED),),
        determination="maliciousUserActivity",
    ),
    Alert(
        title="Files marked Restricted copied to removable storage",
        provider=DATA_LOSS,
        category="DataLoss",
        tactic="Exfiltration",
        severity="high",
        event="10-21 18:09:47",
        noticed=1,
        description="An archive of transducer drawings was copied to a USB disk.",
        advice=("Recover the disk.", "Suspend the account."),
        confidence=98,
        triggers={"policy": "Restricted design data", "label": "Restricted"},
        users=(user_state(CALLUM, logonType="interactive"),),
        hosts=(host_state(ENG_31),),
        files=(file_state(DRAWINGS),),
        steps=(
            Step("10-22 07:45:00", NOOR, "inProgress", "Disk seen on camera footage too."),
            Step("10-26 16:05:00", BEA, "resolved", "Disk handed back.", _CONFIRMED),
        ),
    ),
    Alert(
        title="Large upload to storage that the company does not use",
        provider=CLOUD_APPS,
        category="UnusualUpload",
        tactic="Exfiltration",
        techniques=("T1567.002",),
        severity="high",
        event="10-22 19:31:25",
        noticed=28,
        lasted=37,
        description="1.8 GB went from ENG-WS-031 to a personal storage account.",
        advice=("Mark the application as unsanctioned.", "Ask the provider to keep the data."),
        confidence=89,
        users=(user_state(CALLUM, **signed_in(OFFICE_EXIT, "10-22 19:20:00")),),
        hosts=(host_state(ENG_31),),
        files=(file_state(DRAWINGS),),
        connections=(outbound(ENG_31, STORAGE, DROPFOLD, 443, source_port=57733, url=_URL),),
        apps=(app_state(STORAGE_APP, STORAGE),),
        steps=(
            Step("10-22 20:15:00", NOOR, "inProgress", "Account suspended at 20:20."),
            Step("10-26 16:07:00", BEA, "resolved", "Legal has taken over.", _CONFIRMED),
        ),
        determination="maliciousUserActivity",
        remediation="blocked",
    ),
    Alert(
        title="Restricted file sent to a private mailbox",
        provider=DATA_LOSS,
        category="DataLoss",
        tactic="Exfiltration",
        severity="medium",
        event="10-22 19:58:02",
        noticed=1,
        description="A cost model went to an address at a web mail provider; it was held back.",
        advice=("Keep the message for legal.",),
        triggers={"policy": "Restricted design data", "recipientDomain": "mailnook.example"},
        users=(user_state(CALLUM, emailRole="sender"),),
        files=(file_state(PRICES),),
        mail=(mailbox(CALLUM),),
        steps=(Step("10-26 16:08:00", BEA, "resolved", "Held back.", _CONFIRMED),),
    ),
)

INSIDER = Story(
    name="Restricted drawings taken by a leaving engineer",
    summary=(
        "In his last fortnight a sonar engineer gathered the SX40 drawings and took them out "
        "on a USB disk and through a personal storage account."
    ),
    alerts=_ALERTS,
    determination="maliciousUserActivity",
    tags=("insider", "legal-hold"),
    comments=(
        Step("10-22 20:25:00", NOOR, "inProgress", "Account and badge suspended."),
        Step("10-26 16:10:00", BEA, "resolved", "Handed to legal with all the evidence."),
    ),
)
