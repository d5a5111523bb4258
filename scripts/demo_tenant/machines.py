"""The hosts of the tenant, the files on them, and the processes that run there."""

from __future__ import annotations

from dataclasses import dataclass

from demo_tenant.people import (
    BACKUP,
    CALLUM,
    DANA,
    GRETA,
    HANA,
    INES,
    JONAS,
    LEIF,
    RAFAEL,
    SAMIR,
    YUKI,
    User,
)
from demo_tenant.world import DOMAIN, NETBIOS_DOMAIN, Json, Properties, digest, given, guid, stamp

HEADQUARTERS = "192.0.2.10"
WAREHOUSE = "192.0.2.11"


@dataclass(frozen=True)
class Host:
    """A machine: its name, address within and towards the Internet, and who uses it."""

    name: str
    address: str
    public: str
    system: str
    build: str
    users: tuple[User, ...]
    risk: float = 0.1
    joined: str = "hybrid"
    role: str = "workstation"

    @property
    def id(self) -> str:
        return guid("host", self.name)

    @property
    def fqdn(self) -> str:
        return f"{self.name.lower()}.corp.{DOMAIN}"


_CLIENT = ("Windows 11", "10.0.26100")
_SERVER = ("Windows Server 2022", "10.0.20348")
_LINUX = ("Ubuntu", "24.04")

FIN_14 = Host("FIN-LT-014", "10.20.4.14", HEADQUARTERS, *_CLIENT, (INES,), 0.58)
FIN_09 = Host("FIN-LT-009", "10.20.4.9", HEADQUARTERS, *_CLIENT, (HANA,))
SLS_18 = Host("SLS-LT-018", "10.20.6.18", HEADQUARTERS, *_CLIENT, (RAFAEL,), 0.3, "cloud")
MKT_07 = Host("MKT-LT-007", "10.20.7.7", HEADQUARTERS, *_CLIENT, (YUKI,), 0.44, "cloud")
ENG_31 = Host("ENG-WS-031", "10.20.9.31", HEADQUARTERS, *_CLIENT, (CALLUM,), 0.71)
LOG_22 = Host("LOG-LT-022", "10.30.2.22", WAREHOUSE, *_CLIENT, (GRETA,), 0.97)
WHS_03 = Host("WHS-WS-003", "10.30.3.3", WAREHOUSE, *_CLIENT, (SAMIR, GRETA), 0.86)
IT_02 = Host("IT-WS-002", "10.20.1.2", HEADQUARTERS, *_CLIENT, (DANA,), 0.35)
DC_01 = Host("DC-01", "10.20.0.5", HEADQUARTERS, *_SERVER, (DANA,), 0.79, role="domainController")
FS_02 = Host("FS-02", "10.20.0.22", HEADQUARTERS, *_SERVER, (DANA, BACKUP), 0.83, role="fileServer")
BKP_01 = Host("BKP-01", "10.20.0.40", HEADQUARTERS, *_SERVER, (BACKUP,), 0.9, role="backupServer")
SCAN_01 = Host("SCAN-01", "10.20.0.90", HEADQUARTERS, *_LINUX, (LEIF,), 0.05, "none", "scanner")
WEB_03 = Host("WEB-VM-03", "10.60.1.7", "192.0.2.80", *_LINUX, (JONAS,), 0.66, "none", "webServer")

HOSTS = (
    FIN_14,
    FIN_09,
    SLS_18,
    MKT_07,
    ENG_31,
    LOG_22,
    WHS_03,
    IT_02,
    DC_01,
    FS_02,
    BKP_01,
    SCAN_01,
    WEB_03,
)
BY_FQDN = {host.fqdn: host for host in HOSTS}


def join_state(host: Host) -> Properties:
    """How a host is known to the directory."""
    return {
        "isAzureAdJoined": host.joined == "cloud",
        "isAzureAdRegistered": host.joined != "none",
        "isHybridAzureDomainJoined": host.joined == "hybrid",
    }


def host_state(host: Host) -> Properties:
    """A host as an alert mentions it."""
    return {
        "fqdn": host.fqdn,
        **join_state(host),
        "netBiosName": host.name,
        "os": host.system,
        "privateIpAddress": host.address,
        "publicIpAddress": host.public,
        "riskScore": str(host.risk),
    }


@dataclass(frozen=True)
class File:
    """A file: ``malware`` is the family and the category of what it was found to be."""

    name: str
    folder: str
    kind: str
    size: int
    risk: float = 0.02
    malware: tuple[str, str] | None = None
    signed: bool = False

    @property
    def sha256(self) -> str:
        return digest("sha256", self.name)


_WINDOWS = r"C:\Windows\System32"
_OFFICE = r"C:\Program Files\Microsoft Office\root\Office16"

EXCEL = File("EXCEL.EXE", _OFFICE, "exe", 67_904_512, signed=True)
POWERSHELL = File(
    "powershell.exe", _WINDOWS + r"\WindowsPowerShell\v1.0", "exe", 454_656, 0.1, signed=True
)
VSSADMIN = File("vssadmin.exe", _WINDOWS, "exe", 143_360, 0.1, signed=True)
RATES = File(
    "Freight-rates-Q4.xlsm",
    r"C:\Users\greta.pohl\Downloads",
    "xlsm",
    214_016,
    0.94,
    ("Quillmoth", "TrojanDownloader"),
)
UPDATER = File(
    "tidesync.dll",
    r"C:\Users\greta.pohl\AppData\Roaming\TideSync",
    "dll",
    391_168,
    0.97,
    ("Quillmoth", "Backdoor"),
)
DUMPER = File("pd64.exe", r"C:\ProgramData\Intel", "exe", 702_976, 0.93, ("Lockpick", "HackTool"))
RELAY = File("svcrelay.exe", r"C:\Windows\Temp", "exe", 158_720, 0.96, ("Quillmoth", "Backdoor"))
CONVERTER = File(
    "QuickConvert-Setup.exe",
    r"C:\Users\yuki.marsh\Downloads",
    "exe",
    5_873_664,
    0.74,
    ("Patchwren", "Trojan"),
)
TOOLBAR = File(
    "qcbar.dll",
    r"C:\Users\yuki.marsh\AppData\Local\QuickConvert",
    "dll",
    288_256,
    0.45,
    ("Patchwren", "PotentiallyUnwantedSoftware"),
)
DRAWINGS = File(
    "SX40-transducer-drawings.zip",
    r"C:\Users\callum.strand\Documents\SX40",
    "zip",
    1_932_735_283,
    0.1,
)
PRICES = File("SX40-cost-model.xlsx", r"C:\Users\callum.strand\Documents", "xlsx", 2_310_144, 0.1)
MINER = File("kworkerds", "/dev/shm/.x", "elf", 3_145_728, 0.92, ("Coinkelp", "CryptoMiner"))
REMOTE_TOOL = File("assistant-portable.exe", r"C:\IT\Tools", "exe", 8_421_376, 0.22, signed=True)

FILES = (
    EXCEL,
    POWERSHELL,
    VSSADMIN,
    RATES,
    UPDATER,
    DUMPER,
    RELAY,
    CONVERTER,
    TOOLBAR,
    DRAWINGS,
    PRICES,
    MINER,
    REMOTE_TOOL,
)
BY_SHA256 = {file.sha256: file for file in FILES}


def file_hash(file: File) -> Properties:
    return {"hashType": "sha256", "hashValue": file.sha256}


def file_state(file: File) -> Properties:
    """A file as an alert mentions it."""
    return {
        "fileHash": file_hash(file),
        "name": file.name,
        "path": file.folder,
        "riskScore": str(file.risk),
    }


def malware_state(file: File, *, running: bool) -> Properties:
    """The malware that a file was found to be, as an alert mentions it."""
    assert file.malware is not None
    family, category = file.malware
    return {
        "category": category,
        "family": family,
        "name": f"{category}:{file.kind.upper()}/{family}",
        "severity": "high" if file.risk > 0.9 else "medium",
        "wasRunning": running,
    }


def process(
    file: File,
    command: str,
    started: str,
    pid: int,
    *,
    user: User,
    parent: str | None = None,
    parent_pid: int | None = None,
    level: str = "medium",
) -> Properties:
    """A process of a file as an alert mentions it; ``started`` is what names a moment."""
    return given(
        accountName=f"{NETBIOS_DOMAIN}\\{user.account}",
        commandLine=command,
        createdDateTime=stamp(started),
        fileHash=file_hash(file),
        integrityLevel=level,
        isElevated=level in ("high", "system"),
        name=file.name,
        parentProcessId=parent_pid,
        parentProcessName=parent,
        path=file.folder,
        processId=pid,
    )


def registry_run_key(file: File, value_name: str, pid: int) -> Properties:
    """The registry value that starts a file at each sign-in."""
    value: Json = rf"rundll32.exe {file.folder}\{file.name},Start"
    return {
        "hive": "currentUser",
        "key": r"Software\Microsoft\Windows\CurrentVersion\Run",
        "operation": "create",
        "processId": pid,
        "valueData": value,
        "valueName": value_name,
        "valueType": "sz",
    }
