"""A program that reads alerts: what docs/clients.md runs behind the proxy."""

import requests

URL = "https://graph.microsoft.com/v1.0/security/alerts"
requests.get(URL, headers={"Authorization": "Bearer x"}, timeout=10).raise_for_status()
