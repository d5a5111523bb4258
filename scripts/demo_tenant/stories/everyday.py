"""Events without an attack: mistakes, tests, and the noise of a working week."""

from __future__ import annotations

from demo_tenant.alert import Alert, Step, Story
from demo_tenant.machines import (
    DC_01,
    IT_02,
    REMOTE_TOOL,
    SCAN_01,
    WEB_03,
    file_state,
    host_state,
    process,
)
from demo_tenant.network import SURVEY, VPN_EXIT, between, inbound, signed_in
from demo_tenant.people import DANA, HANA, LEIF, MEI, NOOR, user_state
from demo_tenant.world import DATA_LOSS, ENDPOINT, FIREWALL, IDENTITY, SIGN_INS

_TRAVEL = Alert(
    title="Sign-ins too far apart for the time between them",
    provider=SIGN_INS,
    category="ImpossibleTravel",
    tactic="InitialAccess",
    techniques=("T1078",),
    severity="medium",
    event="09-15 08:03:20",
    noticed=35,
    description="Hana Lindqvist signed in from Bergen and, four minutes later, from Amsterdam.",
    advice=("Compare the addresses with those of the company's VPN.",),
    triggers={"riskEventType": "impossibleTravel"},
    users=(user_state(HANA, **signed_in(VPN_EXIT, "09-15 08:03:20")),),
    steps=(
        Step("09-15 09:10:00", NOOR, "inProgress"),
        Step("09-15 09:22:00", NOOR, "dismissed", "The VPN's new exit.", "falsePositive"),
    ),
    determination="notMalicious",
)

_REMOTE_TOOL = Alert(
    title="Remote control program on a workstation",
    provider=ENDPOINT,
    category="SuspiciousActivity",
    tactic="CommandAndControl",
    techniques=("T1219",),
    severity="low",
    event="10-08 11:20:44",
    noticed=7,
    description="A portable remote control program ran with raised rights on IT-WS-002.",
    advice=("Find out whether the program is approved.",),
    users=(user_state(DANA, logonType="interactive"),),
    hosts=(host_state(IT_02),),
    files=(file_state(REMOTE_TOOL),),
    processes=(
        process(
            REMOTE_TOOL,
            "assistant-portable.exe --unattended",
            "10-08 11:20:40",
            14220,
            user=DANA,
            parent="explorer.exe",
            parent_pid=6004,
            level="high",
        ),
    ),
    steps=(Step("10-08 13:02:00", LEIF, "dismissed", "Helpdesk's own.", "falsePositive"),),
    determination="notMalicious",
)

_SCAN = Alert(
    title="Host asks a domain controller for all its shares and sessions",
    provider=IDENTITY,
    category="Reconnaissance",
    tactic="Discovery",
    techniques=("T1135", "T1049"),
    severity="medium",
    event="11-04 01:00:12",
    noticed=10,
    lasted=85,
    description="SCAN-01 listed the shares and sessions of DC-01, then of every other server.",
    advice=("Exclude known scanners by name.",),
    hosts=(host_state(SCAN_01), host_state(DC_01)),
    connections=(between(SCAN_01, DC_01, 445, source_port=41900),),
    steps=(Step("11-04 08:00:00", LEIF, "resolved", "Monthly scan.", "benignPositive"),),
    determination="securityTesting",
)

_LABEL = Alert(
    title="Document without a label shared by link",
    provider=DATA_LOSS,
    category="DataLoss",
    tactic="Exfiltration",
    severity="unknown",
    unhandled="unknown",
    event="11-12 14:18:30",
    noticed=1,
    description="A brochure was shared by link; the provider could not rate it.",
    advice=("Label the document.",),
    triggers={"policy": "Unlabelled documents"},
    users=(user_state(MEI),),
)

_PORT_SCAN = Alert(
    title="Ports of a public address probed",
    provider=FIREWALL,
    category="Reconnaissance",
    tactic="Reconnaissance",
    severity="informational",
    event="11-19 05:41:09",
    noticed=4,
    lasted=12,
    description="One address tried 1,000 ports of WEB-VM-03; all but 443 are closed.",
    advice=("Nothing to do unless it goes on.",),
    triggers={"portsProbed": "1000"},
    hosts=(host_state(WEB_03),),
    connections=(inbound(SURVEY, WEB_03, 443, source_port=39001, status="blocked"),),
)

EVERYDAY = (
    Story(
        "Impossible travel of one user",
        "A new VPN exit looked like travel.",
        (_TRAVEL,),
        "notMalicious",
    ),
    Story(
        "Remote control program in IT",
        "The helpdesk's tool was not on the list of approved ones.",
        (_REMOTE_TOOL,),
        "notMalicious",
    ),
    Story(
        "Reconnaissance by the vulnerability scanner",
        "The monthly scan of the servers.",
        (_SCAN,),
        "securityTesting",
        ("scheduled",),
    ),
    Story("Unlabelled document", "A brochure shared by link.", (_LABEL,)),
    Story("Port probe", "A survey of the Internet passed by.", (_PORT_SCAN,)),
)
