"""What deploy/compose.yaml mounts: for each program a folder with its own certificate and keys, and its settings.

<state>/programs/<program>/   certs/, secrets/ as a service's state directory has them; an engine's configuration
<state>/settings/<program>.env
<state>/operator/             passwords and Vault's keys, which the operator's commands keep
"""

import json
import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from deploy import env_file
from deploy.compose.sites import Sites
from deploy.dev import certificates
from deploy.dev.state import State
from deploy.files import PRIVATE_DIR, PRIVATE_FILE, PUBLIC_FILE, private_directory, write_file
from deploy.passwords import password_of
from deploy.phone import extensions
from deploy.phone.kamailio import Listening, configuration, trunk_of

# As in deploy/Containerfile.
PROGRAM_USER = 10001
SIP_PORT = 5060
# By name: on the one network that a program shares with Prometheus alone, where this name is known. Neighbours on its
# other networks don't read it; `status` asks from inside.
METRICS = "metrics.wayvault.internal:9464"
RABBIT_ADMIN = "wayvault_admin"
# Where the operator's container reaches the engines' own interfaces.
RABBIT_MANAGEMENT = "https://rabbitmq.wayvault.internal:15671"
HCVAULT = "https://hcvault.wayvault.internal:8200"
HEADING = "Settings of one program of deploy/compose.yaml; made by deploy.compose, with passwords."
_INSIDE = Path("/var/lib/wayvault")
_VAULT_ADDRESS = "vault.wayvault.internal:8105"
_PHONE_ADDRESS = "phone.wayvault.internal:8112"
_CHARGING_ADDRESS = "charging.wayvault.internal:8106"
_RABBIT = """\
listeners.tcp = none
listeners.ssl.default = 5671
ssl_options.cacertfile = /run/wayvault/ca.pem
ssl_options.certfile = /run/wayvault/rabbitmq.pem
ssl_options.keyfile = /run/wayvault/rabbitmq.key
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
management.ssl.port = 15671
management.ssl.cacertfile = /run/wayvault/ca.pem
management.ssl.certfile = /run/wayvault/rabbitmq.pem
management.ssl.keyfile = /run/wayvault/rabbitmq.key
default_user = {user}
default_pass = {password}
default_vhost = /
disk_free_limit.absolute = 50MB
"""
_VAULT_SERVER = {
    "storage": {"raft": {"path": "/var/lib/wayvault", "node_id": "compose"}},
    "listener": {
        "tcp": {
            "address": "0.0.0.0:8200",
            "cluster_address": "127.0.0.1:8201",
            "tls_cert_file": "/etc/wayvault/hcvault.pem",
            "tls_key_file": "/etc/wayvault/hcvault.key",
            "tls_min_version": "tls12",
        }
    },
    "api_addr": HCVAULT,
    "cluster_addr": "https://127.0.0.1:8201",
    "disable_mlock": True,
    "ui": False,
    "log_level": "warn",
}
_PROXY = """\
# TLS in front of the sites. Requests are read whole before a service sees them, and slow ones are ended here.
global
  maxconn 2000
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  option http-buffer-request
  option forwardfor
  option redispatch
  timeout connect 5s
  timeout client 30s
  timeout http-request 10s
  timeout http-keep-alive 15s
  timeout server 75s
  timeout queue 10s
frontend sites
  bind :8443 ssl crt /run/wayvault/sites.pem alpn h2,http/1.1
  http-request del-header x-forwarded-for
  http-request del-header forwarded
  http-request set-header x-forwarded-proto https
  http-request deny if {{ path /metrics }}
{uses}
  default_backend none
backend none
  http-request return status 421 content-type text/plain string "There is no such site here.\\n"
{backends}"""
_BACKENDS = {"crm": "crm:8101", "portal": "portal:8102", "card": "frame:8103", "mail": "mailbox:8104"}


class Layout:
    """The files of one stack of containers, below `root`."""

    def __init__(self, root: Path, sites: Sites) -> None:
        self.root = root.resolve()
        self.state = State(root=self.root, ports=State.from_environment({}).ports)
        self.sites = sites
        # Programs of which a file is another one than before: they must read it anew.
        self.changed: set[str] = set()

    def origin(self, site: str) -> str:
        return self.sites.origin(site)

    def write(self) -> None:
        """Makes what is missing, and brings certificates and settings up to date. Raises CertificateFault, OSError."""
        private_directory(self.root)
        certificates.ensure(self.state)
        self._site_certificate()
        for program, identities in _IDENTITIES.items():
            self._place_certificates(program, identities)
        self._engines()
        self._seen()
        if self.sites.phone:
            self._telephones()
        for program, settings in self._settings().items():
            env_file.update(self.settings_of(program), settings, heading=HEADING)

    def _seen(self) -> None:
        """Whom Prometheus asks: by the name that each has on the network that the two share."""
        port = METRICS.rpartition(":")[2]
        programs = (*_SEEN, *(("mailbox",) if "mail" in self.sites.hosts else ()))
        targets = [f"{name}:{port}" for name in (*programs, *(("masker",) if self.sites.phone else ()))]
        listed = [{"targets": targets}]
        self._place("prometheus", "compose.json", json.dumps(listed, indent=2), mode=PUBLIC_FILE)

    def _telephones(self) -> None:
        """Kamailio's configuration, of the telephones and the line in `<root>/phone`; with digests of passwords."""
        folder = self.state.phone
        listening = Listening(address="0.0.0.0", port=SIP_PORT, ng_port=8113, told=self.sites.phone)
        known = extensions.ensure(folder, demo=not self.sites.production)
        self._place("kamailio", "kamailio.cfg", configuration(listening, known.values(), trunk_of(folder)))
        give(self.program("kamailio"))

    def settings_of(self, program: str) -> Path:
        return self.root / "settings" / f"{program}.env"

    def sums(self) -> dict[str, str]:
        """For compose.yaml: by variable, a sum of each program's settings."""
        files = sorted((self.root / "settings").glob("*.env"))
        return {f"WAYVAULT_SETTINGS_{file.stem.upper()}": sha256(file.read_bytes()).hexdigest()[:16] for file in files}

    def program(self, name: str) -> Path:
        return self.root / "programs" / name

    def _site_certificate(self) -> None:
        """The proxy's certificate: the operator's own, or one of the development authority."""
        hosts = self.sites.hosts
        certificate, key = self.sites.certificate, self.sites.key
        if certificate is None or key is None:
            certificates.ensure_for_names(self.state, "sites", list(hosts.values()))
            certificate, key = self.state.certs / "sites.pem", self.state.certs / "sites.key"
        text = certificate.read_text("utf-8").rstrip() + "\n" + key.read_text("utf-8")
        uses = "\n".join(
            f"  use_backend {site} if {{ hdr(host),field(1,:) -i {host} }}" for site, host in hosts.items()
        )
        backends = "\n".join(
            f"backend {site}\n  server one {_BACKENDS[site]} check inter 2s init-addr none resolvers names"
            for site in hosts
        )
        resolvers = "resolvers names\n  parse-resolv-conf\n  hold valid 5s\n"
        self._place("proxy", "sites.pem", text)
        self._place("proxy", "haproxy.cfg", _PROXY.format(uses=uses, backends=resolvers + backends) + "\n")

    def _place_certificates(self, program: str, identities: tuple[str, ...]) -> None:
        folder = self.program(program)
        names = ["ca.pem", *(f"{identity}.{ending}" for identity in identities for ending in ("pem", "key"))]
        for name in names:
            self._place(program, f"certs/{name}", (self.state.certs / name).read_text("utf-8"))
        # Charging signs the heads of its chains of the audit trail by the vault's key.
        if secrets := _SECRETS.get(program):
            shutil.copytree(self.state.secrets / secrets, folder / "secrets" / secrets, dirs_exist_ok=True)
            shutil.copytree(self.state.secrets / "public", folder / "secrets" / "public", dirs_exist_ok=True)
        give(folder)

    def _engines(self) -> None:
        passwords = self.root / "programs" / "operator" / "passwords"
        for engine in ("postgres", "rabbitmq", "hcvault"):
            for ending in ("pem", "key"):
                text = (self.state.certs / f"{engine}.{ending}").read_text("utf-8")
                # The engines' images run as accounts of their own distribution, whose numbers we don't choose; the
                # folders above are the operator's alone.
                self._place(engine, f"{engine}.{ending}", text, mode=PUBLIC_FILE)
            self._place(engine, "ca.pem", (self.state.certs / "ca.pem").read_text("utf-8"), mode=PUBLIC_FILE)
        self._place("postgres", "postgres_admin", password_of(passwords, "postgres_admin"), mode=PUBLIC_FILE)
        rabbit = _RABBIT.format(user=RABBIT_ADMIN, password=password_of(passwords, "rabbitmq_admin"))
        self._place("rabbitmq", "rabbitmq.conf", rabbit, mode=PUBLIC_FILE)
        self._place("rabbitmq", "enabled_plugins", "[rabbitmq_management].\n", mode=PUBLIC_FILE)
        self._place("hcvault", "vault.json", json.dumps(_VAULT_SERVER, indent=2), mode=PUBLIC_FILE)
        give(self.program("operator"))

    def _place(self, program: str, name: str, text: str, *, mode: int = PRIVATE_FILE) -> None:
        path = self.program(program) / name
        if not path.exists() or path.read_text("utf-8") != text:
            # In place: a mounted file that is replaced would stay the old one inside.
            if path.exists():
                path.write_text(text, "utf-8")
                self.changed.add(program)
            else:
                write_file(path, text, mode=mode)
        path.chmod(mode)
        for folder in _folders(self.program(program), path):
            folder.chmod(0o755)
        if program == "proxy":
            path.chmod(PUBLIC_FILE)

    def _settings(self) -> dict[str, dict[str, str]]:
        """What each program is told about its place; the engines' addresses and passwords come from their set-up."""
        url = {site: self.origin(site) for site in self.sites.served}
        mailbox = url.get("mail", "")
        vault = {
            **self._common("VAULT"),
            "VAULT_LISTEN": _VAULT_ADDRESS,
            "VAULT_VAULT_ADDRESS": _VAULT_ADDRESS,
            "VAULT_WEB_LISTEN": "frame.wayvault.internal:8103",
            "VAULT_CHARGING_METRICS_LISTEN": METRICS,
            "VAULT_FRAME_ORIGIN": url["card"],
            "VAULT_FRAME_PARENTS": json.dumps([url["crm"], url["portal"]]),
            "VAULT_CVV_LINK_URL": f"{url['crm']}/cvv",
        }
        charging = {
            **vault,
            "VAULT_AUDIT_HEADS": "/var/lib/audit-heads/heads-charging.jsonl",
            "VAULT_TLS_CERT": str(_INSIDE / "certs" / "charging.pem"),
            "VAULT_TLS_KEY": str(_INSIDE / "certs" / "charging.key"),
            "VAULT_CHARGING_LISTEN": _CHARGING_ADDRESS,
            "VAULT_CHARGING_RETURN_URL": f"{url['portal']}/confirmed/",
        }
        # For looking into a service's database and bus; as the operator, who has no service's certificate.
        operator = {
            f"{name}_{setting}": str(_INSIDE / place)
            for name in ("CRM", "PORTAL", "NOTIFIER")
            for setting, place in _OPERATORS.items()
        }
        crm = {
            **self._common("CRM"),
            "CRM_LISTEN": "crm.wayvault.internal:8101",
            "CRM_PUBLIC_URL": url["crm"],
            "CRM_PORTAL_URL": url["portal"],
            "CRM_FRAME_ORIGIN": url["card"],
            "CRM_VAULT_ADDRESS": _VAULT_ADDRESS,
            "CRM_CHARGING_ADDRESS": _CHARGING_ADDRESS,
            # Written empty, so that it goes from a file of before, too.
            "CRM_PHONE_ADDRESS": _PHONE_ADDRESS if self.sites.phone else "",
            **({"CRM_MAILBOX_URL": mailbox} if mailbox else {}),
        }
        portal = {
            **self._common("PORTAL"),
            "PORTAL_LISTEN": "portal.wayvault.internal:8102",
            "PORTAL_PUBLIC_URL": url["portal"],
            "PORTAL_FRAME_ORIGIN": url["card"],
            "PORTAL_VAULT_ADDRESS": _VAULT_ADDRESS,
            **({"PORTAL_MAILBOX_URL": mailbox} if mailbox else {}),
        }
        notifier = {
            **self._common("NOTIFIER"),
            "NOTIFIER_LISTEN": "mailbox.wayvault.internal:8104",
            "NOTIFIER_CRM_URL": url["crm"],
            "NOTIFIER_PORTAL_URL": url["portal"],
            **({"NOTIFIER_PUBLIC_URL": mailbox} if mailbox else {}),
            **self.sites.notifier,
        }
        return {
            "charging": charging,
            "vault": {**vault, "VAULT_AUDIT_HEADS": "/var/lib/audit-heads/heads.jsonl"},
            "frame": vault,
            "operator": {**vault, **operator, "VAULT_CHARGING_ADDRESS": _CHARGING_ADDRESS},
            "crm": crm,
            **({"phone": self._masker()} if self.sites.phone else {}),
            "portal": portal,
            "notifier": notifier,
        }

    def _masker(self) -> dict[str, str]:
        """It has neither database nor bus; ng stays on the loopback that Kamailio shares with it."""
        return {
            "PHONE_STATE_DIR": str(_INSIDE),
            # By name: on the network of the CRM alone, where this name is known. The vault, on another, can't call it.
            "PHONE_LISTEN": _PHONE_ADDRESS,
            "PHONE_METRICS_LISTEN": METRICS,
            "PHONE_MEDIA_ADDRESS": self.sites.phone,
            "PHONE_MEDIA_LISTEN": "0.0.0.0",
            "PHONE_VAULT_ADDRESS": _VAULT_ADDRESS,
            **({"PHONE_ENVIRONMENT": "production"} if self.sites.production else {}),
        }

    def _common(self, prefix: str) -> dict[str, str]:
        return {
            f"{prefix}_STATE_DIR": str(_INSIDE),
            f"{prefix}_TRUSTED_PROXIES": "1",
            f"{prefix}_METRICS_LISTEN": METRICS,
            f"{prefix}_WEB_METRICS_LISTEN": METRICS,
            **({f"{prefix}_ENVIRONMENT": "production"} if self.sites.production else {}),
        }


# Programs with metrics, wherever Wayvault runs in containers.
_SEEN = (
    *("vault", "vault-worker", "charging", "frame"),
    *("crm", "crm-worker", "portal", "portal-worker", "notifier"),
)
_OPERATORS = {"STATE_DIR": "", "TLS_CERT": "certs/operator.pem", "TLS_KEY": "certs/operator.key"}
_IDENTITIES: dict[str, tuple[str, ...]] = {
    "vault": ("vault",),
    "charging": ("charging",),
    "frame": ("frame",),
    "crm": ("crm",),
    "portal": ("portal",),
    "notifier": ("notifier",),
    "operator": ("operator",),
    "phone": ("phone",),
}


_SECRETS = {**{name: name for name in ("vault", "crm", "portal", "notifier")}, "charging": "vault"}


def postgres_admin_url(password: str) -> str:
    """The superuser's URL, as the operator's container has it, on whichever of the two networks is asked."""
    return (
        f"postgresql://postgres:{quote(password, safe='')}@postgres.wayvault.internal:5432/postgres"
        f"?sslmode=verify-full&sslrootcert={_INSIDE}/certs/ca.pem"
    )


def _folders(top: Path, path: Path) -> Iterator[Path]:
    for parent in path.parents:
        if parent == top or top in parent.parents:
            yield parent


def give(folder: Path) -> None:
    """Hands a program's folder to the account that its container runs as, where we may."""
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, PROGRAM_USER, PROGRAM_USER)
        path.chmod(PRIVATE_DIR if path.is_dir() else PRIVATE_FILE)
