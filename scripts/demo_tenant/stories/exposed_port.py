"""A management port left open on a web server ends in a crypto miner."""

from __future__ import annotations

from demo_tenant.alert import Alert, Step, Story
from demo_tenant.machines import MINER, WEB_03, file_state, host_state, malware_state, process
from demo_tenant.network import (
    BRUTE_A,
    BRUTE_B,
    MINING,
    POOL,
    inbound,
    outbound,
    signed_in,
)
from demo_tenant.people import BEA, JONAS, LEIF, user_state
from demo_tenant.world import CLOUD, FIREWALL

_WEAK_SSH = {"cve": "CVE-2026-99017", "severity": "high", "wasRunning": True}

_ALERTS = (
    Alert(
        title="Management port of a virtual machine open to any address",
        provider=CLOUD,
        category="Exposure",
        tactic="InitialAccess",
        techniques=("T1133",),
        severity="low",
        event="08-30 16:12:00",
        noticed=48,
        description="The network security group of WEB-VM-03 lets any address reach port 22.",
        advice=(
            "Allow the port from the VPN addresses only.",
            "Turn on just-in-time access for the virtual machine.",
        ),
        confidence=95,
        sub_provider="Servers Plan 2",
        triggers={"securityRule": "allow-ssh-tmp"},
        hosts=(host_state(WEB_03),),
        vulnerabilities=(_WEAK_SSH,),
        steps=(
            Step("08-31 07:40:00", LEIF, "inProgress", "Asked Jonas whether the rule is needed."),
            Step("09-02 09:05:00", LEIF, "resolved", "Rule removed.", "truePositive"),
        ),
        determination="other",
    ),
    Alert(
        title="Many failed SSH sign-ins from two addresses",
        provider=CLOUD,
        category="BruteForce",
        tactic="CredentialAccess",
        techniques=("T1110.001",),
        severity="medium",
        event="08-31 22:04:10",
        noticed=21,
        lasted=190,
        description="Two addresses of one network tried 4,312 passwords for 17 account names.",
        advice=("Block the addresses.", "Sign in with keys instead of passwords."),
        confidence=88,
        sub_provider="Servers Plan 2",
        triggers={"failedAttempts": "4312"},
        hosts=(host_state(WEB_03),),
        connections=(
            inbound(BRUTE_A, WEB_03, 22, source_port=40112, status="failed"),
            inbound(BRUTE_B, WEB_03, 22, source_port=51844, status="failed"),
        ),
        steps=(Step("09-01 06:50:00", LEIF, "resolved", "Addresses blocked.", "truePositive"),),
        determination="maliciousUserActivity",
        remediation="blocked",
    ),
    Alert(
        title="SSH sign-in succeeded after a series of failures",
        provider=CLOUD,
        category="BruteForce",
        tactic="InitialAccess",
        techniques=("T1078", "T1110.001"),
        severity="high",
        event="09-01 01:13:42",
        noticed=9,
        description=(
            "The account jonas.petri signed in to WEB-VM-03 from an address that had failed "
            "hundreds of times within the hour before."
        ),
        advice=(
            "Isolate the virtual machine.",
            "Change the account's password and remove its authorised keys.",
        ),
        confidence=92,
        sub_provider="Servers Plan 2",
        hosts=(host_state(WEB_03),),
        users=(user_state(JONAS, **signed_in(BRUTE_A, "09-01 01:13:42", "remoteInteractive")),),
        connections=(inbound(BRUTE_A, WEB_03, 22, source_port=43870),),
        steps=(
            Step("09-01 06:55:00", LEIF, "inProgress", "Not Jonas: he was asleep in Bergen."),
            Step("09-01 11:30:00", BEA, "resolved", "Machine rebuilt from image.", "truePositive"),
        ),
        determination="compromisedAccount",
        remediation="remediated",
    ),
    Alert(
        title="Process that behaves like a crypto miner",
        provider=CLOUD,
        category="CryptoMining",
        tactic="Impact",
        techniques=("T1496",),
        severity="high",
        event="09-01 01:31:05",
        noticed=14,
        lasted=340,
        description=(
            "A program started from a temporary folder keeps all processors of WEB-VM-03 busy "
            "and talks to a mining pool."
        ),
        advice=("Stop the process.", "Rebuild the machine from a trusted image."),
        confidence=97,
        sub_provider="Servers Plan 2",
        tags=("crypto-mining",),
        hosts=(host_state(WEB_03),),
        users=(user_state(JONAS),),
        files=(file_state(MINER),),
        malware=(malware_state(MINER, running=True),),
        processes=(
            process(
                MINER,
                "/dev/shm/.x/kworkerds -o pool.coinreef.example:443 --threads 8",
                "09-01 01:29:50",
                21877,
                user=JONAS,
                parent="bash",
                parent_pid=21790,
            ),
        ),
        connections=(outbound(WEB_03, POOL, MINING, 443, source_port=38122),),
        steps=(
            Step("09-01 06:58:00", LEIF, "inProgress"),
            Step("09-01 11:32:00", BEA, "resolved", "Gone with the old disk.", "truePositive"),
        ),
        determination="malware",
        remediation="remediated",
    ),
    Alert(
        title="Connection to a domain of the category Crypto mining",
        provider=FIREWALL,
        category="PolicyViolation",
        tactic="CommandAndControl",
        severity="medium",
        event="09-01 01:32:18",
        noticed=3,
        lasted=338,
        description="A server in the web zone keeps a connection to a mining pool open.",
        advice=("Deny the category for the web zone.",),
        triggers={"urlCategory": "Crypto mining", "zone": "web"},
        hosts=(host_state(WEB_03),),
        connections=(outbound(WEB_03, POOL, MINING, 443, source_port=38122),),
        steps=(Step("09-01 11:40:00", BEA, "resolved", "Category denied.", "truePositive"),),
    ),
)

EXPOSED_PORT = Story(
    name="Crypto miner on a web server with an exposed management port",
    summary=(
        "A rule made for an hour's debugging left SSH open to the Internet for two days. "
        "A guessed password let somebody in, who installed a miner."
    ),
    alerts=_ALERTS,
    determination="malware",
    tags=("cloud", "lessons-learned"),
    comments=(
        Step("09-01 07:05:00", LEIF, "inProgress", "WEB-VM-03 isolated, snapshot taken."),
        Step("09-02 09:10:00", BEA, "resolved", "Closed. Policy now denies such rules."),
    ),
)
