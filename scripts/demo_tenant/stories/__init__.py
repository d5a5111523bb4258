"""The events at Tidewell between late August and 20 November 2026, one module a story."""

from __future__ import annotations

from demo_tenant.alert import Alert, Story
from demo_tenant.stories.everyday import EVERYDAY
from demo_tenant.stories.exposed_port import EXPOSED_PORT
from demo_tenant.stories.insider import INSIDER
from demo_tenant.stories.invoice_lure import INVOICE_LURE
from demo_tenant.stories.malware_download import MALWARE_DOWNLOAD
from demo_tenant.stories.password_spray import PASSWORD_SPRAY
from demo_tenant.stories.ransomware import RANSOMWARE

STORIES: tuple[Story, ...] = (
    EXPOSED_PORT,
    INVOICE_LURE,
    MALWARE_DOWNLOAD,
    PASSWORD_SPRAY,
    INSIDER,
    RANSOMWARE,
    *EVERYDAY,
)


def alerts() -> list[Alert]:
    """Every alert, the oldest first."""
    return sorted((alert for story in STORIES for alert in story.alerts), key=lambda a: a.created)
