"""A false invoice leads to a stolen password and a mailbox rule that hides the theft."""

from __future__ import annotations

from demo_tenant.alert import Alert, Step, Story
from demo_tenant.evidence import mailbox, message
from demo_tenant.machines import FIN_14, host_state
from demo_tenant.network import LURE, LURE_HOST, LURE_LOGON, MAIL, app_state, outbound, signed_in
from demo_tenant.people import BEA, HANA, INES, NOOR, TOMAS, user_state
from demo_tenant.world import CLOUD_APPS, OFFICE, SIGN_INS

_SENDER = "accounts@tidewell-invoices.example"
_SUBJECT = "Overdue: remittance 0908 for your approval"
_URL = "https://tidewell-invoices.example/remittance/0908?sso=1"

_CONFIRMED = "truePositive"

_ALERTS = (
    Alert(
        title="Messages with a link to a sign-in page were delivered",
        provider=OFFICE,
        category="Phish",
        tactic="InitialAccess",
        techniques=("T1566.002",),
        severity="medium",
        event="09-08 07:52:31",
        noticed=24,
        description=(
            "Three people in finance and purchasing got a message whose link leads to a copy "
            "of the company's sign-in page. The link was found to be malicious after delivery."
        ),
        advice=("Delete the messages from all mailboxes.", "Block the sender's domain."),
        confidence=90,
        triggers={"url": _URL},
        users=(
            user_state(INES, emailRole="recipient"),
            user_state(HANA, emailRole="recipient"),
            user_state(TOMAS, emailRole="recipient"),
        ),
        mail=tuple(
            message(each, _SENDER, LURE_HOST, _SUBJECT, "09-08 07:52:31", _URL)
            for each in (INES, HANA, TOMAS)
        ),
        steps=(
            Step("09-08 08:31:00", NOOR, "inProgress"),
            Step("09-08 09:15:00", NOOR, "resolved", "Removed from 3 mailboxes.", _CONFIRMED),
        ),
        determination="phishing",
        remediation="remediated",
    ),
    Alert(
        title="A user followed a link that was later found malicious",
        provider=OFFICE,
        category="Phish",
        tactic="InitialAccess",
        techniques=("T1566.002", "T1204.001"),
        severity="high",
        event="09-08 08:06:12",
        noticed=13,
        description="Ines Okafor opened the link 14 minutes after the message came in.",
        advice=("Ask what was typed in there.", "Reset the password, revoke the sessions."),
        confidence=90,
        users=(user_state(INES, emailRole="recipient"),),
        hosts=(host_state(FIN_14),),
        connections=(outbound(FIN_14, LURE_HOST, LURE, 443, source_port=52210, url=_URL),),
        mail=(message(INES, _SENDER, LURE_HOST, _SUBJECT, "09-08 07:52:31", _URL),),
        steps=(
            Step("09-08 08:35:00", NOOR, "inProgress", "Called Ines: she typed her password."),
            Step("09-08 09:40:00", NOOR, "resolved", "Password reset.", _CONFIRMED),
        ),
        determination="phishing",
        remediation="remediated",
    ),
    Alert(
        title="Sign-in with properties not seen for this user",
        provider=SIGN_INS,
        category="UnfamiliarLocation",
        tactic="InitialAccess",
        techniques=("T1078.004",),
        severity="medium",
        event="09-08 08:22:47",
        noticed=18,
        description="A new device, browser and network signed in as ines.okafor.",
        advice=("Confirm the sign-in with the user, or mark her as compromised.",),
        triggers={"riskEventType": "unfamiliarFeatures"},
        users=(user_state(INES, **signed_in(LURE_LOGON, "09-08 08:22:47")),),
        apps=(app_state(MAIL),),
        steps=(
            Step("09-08 08:52:00", NOOR, "inProgress"),
            Step("09-08 09:41:00", NOOR, "resolved", None, _CONFIRMED),
        ),
        determination="compromisedAccount",
        remediation="remediated",
    ),
    Alert(
        title="Mailbox rule that hides messages about payments",
        provider=CLOUD_APPS,
        category="SuspiciousInboxManipulation",
        tactic="DefenseEvasion",
        techniques=("T1564.008",),
        severity="high",
        event="09-08 08:29:03",
        noticed=26,
        description=(
            "A rule named with a single dot moves messages that mention payment, bank or "
            "remittance to the folder RSS Feeds and marks them as read."
        ),
        advice=("Delete the rule.", "Look for messages that it moved."),
        confidence=94,
        triggers={"ruleName": ".", "targetFolder": "RSS Feeds"},
        users=(user_state(INES, **signed_in(LURE_LOGON, "09-08 08:22:47")),),
        apps=(app_state(MAIL),),
        mail=(mailbox(INES),),
        steps=(
            Step("09-08 09:20:00", NOOR, "inProgress", "Rule exported, then deleted."),
            Step("09-08 10:05:00", BEA, "resolved", "11 messages moved back.", _CONFIRMED),
        ),
        determination="compromisedAccount",
        remediation="remediated",
    ),
    Alert(
        title="Mail of an account is forwarded outside the company",
        provider=OFFICE,
        category="MailFlow",
        tactic="Collection",
        techniques=("T1114.003",),
        severity="medium",
        event="09-08 08:31:55",
        noticed=65,
        description="A second rule forwards every message with an attachment to an outside box.",
        advice=("Remove the forwarding.", "Turn off forwarding to outside addresses."),
        triggers={"forwardingAddress": "remit.copy@mailnook.example"},
        users=(user_state(INES, emailRole="sender"),),
        mail=(mailbox(INES),),
        steps=(Step("09-08 10:10:00", NOOR, "resolved", "4 messages went out.", _CONFIRMED),),
        determination="compromisedAccount",
        remediation="remediated",
    ),
    Alert(
        title="Unusual number of mail items read by one session",
        provider=CLOUD_APPS,
        category="UnusualAccess",
        tactic="Collection",
        techniques=("T1114.002",),
        severity="medium",
        event="09-08 08:40:20",
        noticed=95,
        lasted=42,
        description="One session read 1,270 messages; the user's usual is fewer than 90 an hour.",
        advice=("Judge what was exposed.", "Revoke the session."),
        users=(user_state(INES, **signed_in(LURE_LOGON, "09-08 08:22:47")),),
        apps=(app_state(MAIL),),
        steps=(
            Step("09-08 10:40:00", NOOR, "inProgress"),
            Step("09-10 14:00:00", BEA, "resolved", "Data protection informed.", _CONFIRMED),
        ),
        determination="compromisedAccount",
        remediation="remediated",
    ),
    Alert(
        title="An account of the company sends phishing messages",
        provider=OFFICE,
        category="CompromisedAccount",
        tactic="LateralMovement",
        techniques=("T1534",),
        severity="high",
        event="09-08 09:12:09",
        noticed=5,
        lasted=16,
        description="The same lure went from Ines Okafor's mailbox to 38 suppliers.",
        advice=("Keep the account from sending.", "Warn those who got the message."),
        confidence=96,
        users=(user_state(INES, emailRole="sender"),),
        mail=(mailbox(INES),),
        steps=(
            Step("09-08 09:25:00", NOOR, "inProgress", "Sending blocked."),
            Step("09-09 15:30:00", BEA, "resolved", "All 38 suppliers called.", _CONFIRMED),
        ),
        determination="compromisedAccount",
        remediation="remediated",
    ),
)

INVOICE_LURE = Story(
    name="Invoice lure and hidden mailbox rule in accounts payable",
    summary=(
        "A message about an overdue invoice took Ines Okafor's password. Within minutes "
        "somebody read her mail, hid the traces with a rule and wrote to suppliers."
    ),
    alerts=_ALERTS,
    determination="phishing",
    tags=("finance", "phishing"),
    comments=(
        Step("09-08 08:40:00", NOOR, "inProgress", "Account taken over, sessions revoked."),
        Step("09-08 11:00:00", BEA, "inProgress", "No payment was redirected: bank confirms."),
        Step("09-10 14:10:00", BEA, "resolved", "Closed after review with finance."),
    ),
)
