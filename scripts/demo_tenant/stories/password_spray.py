"""A password spray finds one account, whose cloud applications are then emptied."""

from __future__ import annotations

from demo_tenant.alert import Alert, Step, Story
from demo_tenant.machines import SLS_18, host_state
from demo_tenant.network import (
    ANONYMISER,
    CONSENT_APP,
    CRM,
    SHARED_FILES,
    SPRAY_A,
    SPRAY_B,
    app_state,
    signed_in,
)
from demo_tenant.people import BEA, HANA, LEIF, MEI, NOOR, RAFAEL, SAMIR, user_state
from demo_tenant.world import CLOUD_APPS, IDENTITY, SENTINEL, SIGN_INS

_GROUP = "Gilded Heron"
_CONFIRMED = "truePositive"

_ALERTS = (
    Alert(
        title="One password tried against many accounts",
        provider=SIGN_INS,
        category="PasswordSpray",
        tactic="CredentialAccess",
        techniques=("T1110.003",),
        severity="high",
        event="10-01 02:10:00",
        noticed=75,
        lasted=55,
        description="A network tried the same few passwords against 214 accounts, slowly.",
        advice=("Ban the season's passwords.", "Require a second factor of everybody."),
        confidence=93,
        group=_GROUP,
        triggers={"accountsTried": "214", "riskEventType": "passwordSpray"},
        users=(
            user_state(RAFAEL, **signed_in(SPRAY_A, "10-01 02:31:08")),
            user_state(HANA, **signed_in(SPRAY_A, "10-01 02:31:40")),
            user_state(MEI, **signed_in(SPRAY_B, "10-01 02:33:15")),
            user_state(SAMIR, **signed_in(SPRAY_B, "10-01 02:35:52")),
        ),
        steps=(
            Step("10-01 06:30:00", LEIF, "inProgress"),
            Step("10-02 10:00:00", LEIF, "resolved", "Networks blocked.", _CONFIRMED),
        ),
        determination="maliciousUserActivity",
        remediation="blocked",
    ),
    Alert(
        title="Account names asked for in large numbers",
        provider=IDENTITY,
        category="AccountEnumeration",
        tactic="Discovery",
        techniques=("T1087.002",),
        severity="low",
        event="09-30 23:46:00",
        noticed=30,
        lasted=25,
        description="The federation service was asked about 600 names, a third of which exist.",
        advice=("Limit what the service tells before sign-in.",),
        group=_GROUP,
        users=(user_state(RAFAEL), user_state(MEI)),
        steps=(Step("10-02 10:04:00", LEIF, "resolved", "Before the spray.", _CONFIRMED),),
        determination="maliciousUserActivity",
    ),
    Alert(
        title="Sign-in from an anonymising network",
        provider=SIGN_INS,
        category="AnonymousIpAddress",
        tactic="InitialAccess",
        techniques=("T1078.004", "T1090"),
        severity="medium",
        event="10-01 05:48:27",
        noticed=11,
        description="Rafael Quispe's account signed in through a network that hides its users.",
        advice=("Ask the user.", "Block such networks in a policy."),
        group=_GROUP,
        triggers={"riskEventType": "anonymizedIPAddress"},
        users=(user_state(RAFAEL, **signed_in(ANONYMISER, "10-01 05:48:27")),),
        apps=(app_state(CRM),),
        steps=(
            Step("10-01 06:34:00", LEIF, "inProgress", "Rafael is on leave, called him."),
            Step("10-01 07:20:00", LEIF, "resolved", "Not him; reset.", _CONFIRMED),
        ),
        determination="compromisedAccount",
        remediation="remediated",
    ),
    Alert(
        title="Successful sign-in after failures from the same attacker",
        provider=SENTINEL,
        category="CredentialAccess",
        tactic="CredentialAccess",
        techniques=("T1110.003", "T1078"),
        severity="high",
        event="10-01 02:31:08",
        noticed=240,
        description="An analytics rule joined the spray with the one sign-in that worked.",
        advice=("Treat the account as taken over.",),
        group=_GROUP,
        tags=("analytics-rule",),
        users=(user_state(RAFAEL, **signed_in(SPRAY_A, "10-01 02:31:08")),),
        steps=(
            Step("10-01 06:45:00", NOOR, "inProgress"),
            Step("10-01 07:25:00", LEIF, "resolved", None, _CONFIRMED),
        ),
        determination="compromisedAccount",
    ),
    Alert(
        title="Consent to an application with wide permissions",
        provider=CLOUD_APPS,
        category="RiskyOAuthApp",
        tactic="Persistence",
        techniques=("T1528", "T1098.003"),
        severity="high",
        event="10-01 05:57:44",
        noticed=33,
        description=(
            "The account let an application of an unverified publisher read mail and all "
            "files, also while nobody is signed in."
        ),
        advice=("Withdraw the consent.", "Let administrators alone consent."),
        confidence=91,
        group=_GROUP,
        triggers={"scopes": CONSENT_APP.permissions},
        users=(user_state(RAFAEL, **signed_in(ANONYMISER, "10-01 05:48:27")),),
        apps=(app_state(CONSENT_APP),),
        steps=(
            Step("10-01 06:50:00", NOOR, "inProgress", "Application disabled."),
            Step("10-03 12:15:00", BEA, "resolved", "Consent policy changed.", _CONFIRMED),
        ),
        determination="compromisedAccount",
        remediation="remediated",
    ),
    Alert(
        title="Mass download from shared files",
        provider=CLOUD_APPS,
        category="MassDownload",
        tactic="Exfiltration",
        techniques=("T1530",),
        severity="high",
        event="10-01 06:02:30",
        noticed=22,
        lasted=19,
        description="642 files of the sales site were downloaded within 19 minutes.",
        advice=("Revoke the session.", "List the files for the data owner."),
        confidence=87,
        group=_GROUP,
        users=(user_state(RAFAEL, **signed_in(ANONYMISER, "10-01 05:48:27")),),
        apps=(app_state(SHARED_FILES),),
        steps=(
            Step("10-01 06:40:00", LEIF, "inProgress", "Session revoked at 06:41."),
            Step("10-03 12:20:00", BEA, "resolved", "Price lists, no drawings.", _CONFIRMED),
        ),
        determination="compromisedAccount",
        remediation="remediated",
    ),
    Alert(
        title="Activity from a country that is rare for the company",
        provider=CLOUD_APPS,
        category="InfrequentCountry",
        tactic="InitialAccess",
        severity="low",
        event="10-01 05:52:10",
        noticed=40,
        description="Nobody at the company had worked from this country in six months.",
        advice=("See the other alerts of the same account.",),
        group=_GROUP,
        users=(user_state(RAFAEL, **signed_in(ANONYMISER, "10-01 05:48:27")),),
        hosts=(host_state(SLS_18),),
        apps=(app_state(CRM),),
        steps=(Step("10-01 07:28:00", LEIF, "resolved", None, _CONFIRMED),),
        determination="compromisedAccount",
    ),
)

PASSWORD_SPRAY = Story(
    name="Password spray that reached the sales files",
    summary=(
        "Gilded Heron asked for names, tried a few passwords against all of them, and found "
        "Rafael Quispe's account without a second factor."
    ),
    alerts=_ALERTS,
    determination="compromisedAccount",
    tags=("gilded-heron", "identity"),
    comments=(
        Step("10-01 06:42:00", LEIF, "inProgress", "Account disabled until Rafael can call."),
        Step("10-03 12:30:00", BEA, "resolved", "Second factor now required of all of sales."),
    ),
)
