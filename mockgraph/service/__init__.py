"""The resources, one module a family, and the service that they make up.

Adding a Graph resource is adding a module with its schemas and its set, and the set to the
list here.
"""

from __future__ import annotations

from mockgraph.metadata.declarations import Root, Service
from mockgraph.service.alerts import ALERTS
from mockgraph.service.alerts_v2 import ALERTS_V2
from mockgraph.service.cloud_app_security_profiles import CLOUD_APP_SECURITY_PROFILES
from mockgraph.service.domain_security_profiles import DOMAIN_SECURITY_PROFILES
from mockgraph.service.file_security_profiles import FILE_SECURITY_PROFILES
from mockgraph.service.host_security_profiles import HOST_SECURITY_PROFILES
from mockgraph.service.incidents import INCIDENTS
from mockgraph.service.ip_security_profiles import IP_SECURITY_PROFILES
from mockgraph.service.provider_tenant_settings import PROVIDER_TENANT_SETTINGS
from mockgraph.service.secure_score_control_profiles import SECURE_SCORE_CONTROL_PROFILES
from mockgraph.service.secure_scores import SECURE_SCORES
from mockgraph.service.security import SECURITY
from mockgraph.service.security_actions import SECURITY_ACTIONS
from mockgraph.service.ti_indicators import TI_INDICATORS
from mockgraph.service.user_security_profiles import USER_SECURITY_PROFILES

_ROOTS = (
    Root("localtest", singleton="Security", documented=True),
    Root("v1.0", singleton="security"),
    Root("beta", singleton="security"),
)

# In the order of the metadata's navigation properties, then what v1.0 and beta have beyond it.
_SETS = (
    ALERTS,
    CLOUD_APP_SECURITY_PROFILES,
    DOMAIN_SECURITY_PROFILES,
    FILE_SECURITY_PROFILES,
    HOST_SECURITY_PROFILES,
    IP_SECURITY_PROFILES,
    PROVIDER_TENANT_SETTINGS,
    SECURE_SCORE_CONTROL_PROFILES,
    SECURE_SCORES,
    TI_INDICATORS,
    USER_SECURITY_PROFILES,
    SECURITY_ACTIONS,
    ALERTS_V2,
    INCIDENTS,
)

SERVICE = Service(
    roots={root.name: root for root in _ROOTS},
    singleton=SECURITY,
    sets={each.name.lower(): each for each in _SETS},
)
