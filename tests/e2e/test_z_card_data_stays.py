"""After all other tests of the run: no card number outside the vault, no page that breaks, no log with a traceback.

Its name puts it last, so that it looks at what the whole run left behind.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from playwright.sync_api import Page
from pydantic import SecretStr
from werkzeug.routing import Rule

from chassis.cards.detector import holds_card
from services.crm import app as crm_app
from services.crm.bootstrap import bootstrap as crm_bootstrap
from services.crm.config import CrmSettings
from services.portal import app as portal_app
from services.portal.bootstrap import bootstrap as portal_bootstrap
from services.portal.config import PortalSettings
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.people import CVV, ELEANOR, AgentAtWork, Answer, Mailbox, ask, wait_until
from tests.e2e.portal_people import choose, sign_in
from tests.e2e.test_cvv_only import ask_for_it_again, give_it
from tests.e2e.test_portal_account import Visitor, invited
from tests.support.canary import GATEWAY_KEYS, Canary, Scanner, dressed
from tests.support.stack import Stack

# Published test numbers that no other test uses: engines are shared, and other tests leave their own numbers there.
VISA_DEBIT = Canary(number="4000056655665556", cvv="837")
MASTERCARD_DEBIT = Canary(number="5200828282828210", cvv="594")
CANARIES = (VISA_DEBIT, MASTERCARD_DEBIT)
# Cards of the other tests of this run.
OTHERS = (Canary(number="4111111111111111", cvv=CVV), Canary(number="5555555555554444", cvv=CVV))
_PASSWORD = "lantern meadow ninety gravel"
CONTROL = Canary(number="6011000990139424", cvv="402")


def test_the_scan_finds_a_planted_card_in_every_dress(tmp_path: Path) -> None:
    scanner = Scanner([CONTROL])
    for name, content in dressed(CONTROL).items():
        planted = tmp_path / name
        planted.write_bytes(b"\x00 some noise " + content if name != "zip" else content)
        assert scanner.find_in_tree(tmp_path), f"a card planted as {name} was not found"
        planted.unlink()
    assert not scanner.find_in_tree(tmp_path)


def test_no_card_is_left_behind_by_what_ran_before(stack: Stack) -> None:
    keys = Scanner([], secrets=GATEWAY_KEYS)
    hits = dict(everywhere(stack, Scanner(OTHERS, secrets=GATEWAY_KEYS), keys))
    assert not hits, json.dumps({where: sorted(found) for where, found in hits.items()}, indent=1)


def test_no_card_leaves_the_frame_and_the_vault(world: World) -> None:
    _full_run_with_canaries(world)
    with _planted(world.stack) as places:
        hits = dict(everywhere(world.stack, Scanner([*CANARIES, *OTHERS, CONTROL]), Scanner(CANARIES)))
    # The same scan that finds no canary finds the control, had it got out: in a file, and in the CRM's database.
    controls = {where for where, found in hits.items() if any(CONTROL.number[-4:] in name for name in found)}
    assert places["file"] in controls, sorted(controls)
    assert len(controls) >= len(places), f"the card in the CRM's database was not found, only {sorted(controls)}"
    leaks = {where: sorted(name for name in found if CONTROL.number[-4:] not in name) for where, found in hits.items()}
    leaks = {where: names for where, names in leaks.items() if names}
    assert not leaks, json.dumps(leaks, indent=1)


def test_every_page_holds_at_most_the_last_four_digits_and_none_breaks(world: World) -> None:
    maya, ada = world.agent(), world.agent("Ada")
    mailed, _ = world.given_authorized(maya)
    client = world.client()
    client.open(mailed)
    client.page.wait_for_url("**/status*")
    link = client.page.url
    paths = _paths_of_crm(world, _ids(world))
    assert len(paths) > 25
    stranger = world.window()
    for page, who in ((maya.page, "agent"), (ada.page, "admin"), (stranger, "stranger")):
        page.goto(world.crm)
        for path in paths:
            _look(ask(page, path), f"{who} {path}")
    portal_paths = _paths_of_portal(world)
    assert len(portal_paths) > 30
    guest, signed_in = world.window(), _signed_in_client(world)
    guest.goto(world.portal)
    for page, who in ((client.page, "link holder"), (signed_in, "client"), (guest, "guest")):
        for path in (*portal_paths, link.removeprefix(world.portal), "/pay/unknown", f"/pay/{'x' * 300}"):
            _look(ask(page, path), f"{who} {path}")
    stranger.goto(world.stack.origins.mailbox)
    for message in Mailbox(world.mailbox.url).messages():
        for part in ("", "/html"):
            _look(ask(stranger, f"/messages/{message.id}{part}"), f"mail {message.subject}{part}")


def test_no_process_wrote_a_traceback_or_an_unforeseen_error(stack: Stack) -> None:
    faults = [
        f"{process}: {line[:600]}"
        for process, text in stack.logs().items()
        for line in text.splitlines()
        if "Traceback" in line or '"exception"' in line or "CardNumberInLog" in line
    ]
    assert not faults, "\n".join(faults[:10])


def _full_run_with_canaries(world: World) -> None:
    """Both canaries are stored; one is shown with its CVV, closed and destroyed, the other stays."""
    agent = world.agent()
    page, email = agent.page, agent.account.email
    _authorized_by_hand(world, agent, MASTERCARD_DEBIT)
    payment = _authorized_by_hand(world, agent, VISA_DEBIT)
    agent.ask_for_code()
    code = world.mailbox.take(page, email, "one-time code for a card").code
    agent.enter_code(code)
    assert agent.shown_number().replace(" ", "") == VISA_DEBIT.number
    agent.ask_for_cvv_code()
    agent.enter_cvv_code(world.mailbox.take(page, email, "one-time code for a CVV").code)
    link = world.mailbox.take(page, email, "one-time link to a CVV").link("/cvv")
    agent.show_cvv(world.watch(page.context.new_page()), link, VISA_DEBIT.cvv)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{world.crm}/payments/{payment}")
    # The CVV alone, given once more and not shown (M10).
    ask_for_it_again(agent)
    give_it(world.window(), world.mailbox.take(page, ELEANOR, "needs the security code").link("/cvv/"), VISA_DEBIT.cvv)
    page.goto(f"{world.crm}/payments/{payment}")
    agent.close_as_processed("CANARY-1")
    wait_until(page, lambda: world.card_of(payment) not in ("stored", "revealed"), "the card to be destroyed")


def _authorized_by_hand(world: World, agent: AgentAtWork, card: Canary) -> str:
    """The number goes through the browser and the frame, which is what the scan is about; gives the payment's id."""
    link, payment = world.given_link(agent)
    world.client().authorize(link, number=card.number, cvv=card.cvv)
    world.until_authorized(agent, payment)
    return payment


def everywhere(stack: Stack, scanner: Scanner, shared: Scanner) -> Iterator[tuple[str, set[str]]]:
    """Files of the state directory (databases with WAL, bus, mails, logs, temporary files), processes, engines.

    `shared` looks through the engines' data, where other tests and earlier runs leave their numbers too: the planted
    control of the last run is still in PostgreSQL's write-ahead log.
    """
    yield from scanner.find_in_tree(stack.state.root).items()
    if ARTIFACTS.exists():
        frames = [path for path in ARTIFACTS.rglob("frame") if path.is_dir()]
        yield from scanner.find_in_tree(ARTIFACTS, but=frames).items()
    for pid in _pids(stack):
        for part in ("cmdline", "environ"):
            if found := scanner.find(_read(Path(f"/proc/{pid}/{part}"))):
                yield f"/proc/{pid}/{part}", found
    if stack.engine == "real":
        yield from _in_databases(stack, scanner)
        for folder in _engine_folders(stack):
            yield from shared.find_in_tree(folder, since=stack.began).items()


def _in_databases(stack: Stack, scanner: Scanner) -> Iterator[tuple[str, set[str]]]:
    """Every row of every table, as pg_dump would write it."""
    for service in ("vault", "crm", "portal", "notifier"):
        engine = stack.database(service)
        for table in sqlalchemy.inspect(engine).get_table_names():
            with engine.connect() as connection:
                rows = connection.exec_driver_sql(f'SELECT * FROM "{table}"').all()
            content = "\n".join(_as_text(value) for row in rows for value in row).encode()
            if found := scanner.find(content):
                yield f"{service}.{table}", found


def _as_text(value: Any) -> str:  # Any: whatever a column holds
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def _engine_folders(stack: Stack) -> list[Path]:
    """The data directories of PostgreSQL (after a checkpoint) and RabbitMQ, where they can be read."""
    from tests.support import engines

    with psycopg.connect(engines.settings()["WAYVAULT_POSTGRES_ADMIN_URL"], autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SHOW data_directory").fetchone()
    folders = [Path(row[0])] if row else []
    rabbit = Path(engines.settings()["WAYVAULT_CA"]).parent.parent / "engines" / "rabbitmq"
    return [folder for folder in (*folders, rabbit) if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)]


def _pids(stack: Stack) -> set[int]:
    """All processes of the stack, with their children."""
    groups = {process.popen.pid for process in stack.processes.values() if process.popen is not None}
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _read(entry / "stat").rpartition(b")")[2].split()
            if len(fields) > 2 and int(fields[2]) in groups:
                found.add(int(entry.name))
    assert len(found) >= len(groups)
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@contextmanager
def _planted(stack: Stack) -> Iterator[dict[str, str]]:
    """A card in a file, packed, and one in the CRM's database."""
    planted = stack.temporary / "planted.json"
    planted.write_bytes(dressed(CONTROL)["gzip"])
    note = "UPDATE client SET notes = :note WHERE email = 'chidi.eze@post.example'"
    assert stack.execute("crm", note, note=f"card {CONTROL.number}") == 1
    try:
        yield {"file": str(planted), "database": "crm"}
    finally:
        planted.unlink()
        stack.execute("crm", note, note="")


def _signed_in_client(world: World) -> Page:
    """A client of Maya's with a portal account, signed in."""
    page, visitor = world.window(), Visitor(first="Cornelia", last="Canary")
    choose(page, invited(world, world.agent(), page, visitor), _PASSWORD)
    sign_in(world, page, visitor.username, _PASSWORD)
    return page


def _ids(world: World) -> Mapping[str, list[str]]:
    """Real ids for the variable parts of addresses."""
    tables = {
        "payment_id": "payment",
        "booking_id": "booking",
        "segment_id": "segment",
        "client_id": "client",
        "agent_id": "agent",
        "link_id": "payment_link",
        "document_id": "signed_document",
    }
    return {
        name: [str(row[0]) for row in world.stack.query("crm", f"SELECT id FROM {table} ORDER BY id DESC LIMIT 2")]
        for name, table in tables.items()
    }


def _paths_of_crm(world: World, ids: Mapping[str, list[str]]) -> list[str]:
    """Every address that the CRM answers with GET, from its own map, filled with real ids."""
    file = world.stack.temporary / "map.db"
    settings = CrmSettings(
        state_dir=world.stack.state.root, database_url=f"sqlite:///{file}", secret_key=SecretStr("s" * 40)
    )
    deps = crm_bootstrap(settings)
    rules = list(crm_app.create_app(deps).url_map.iter_rules())
    deps.core.database.dispose()
    return sorted({path for rule in rules if _is_page(rule) for path in _filled(rule, ids)})


def _paths_of_portal(world: World) -> list[str]:
    """Every address that the portal answers with GET, from its own map, filled with real ids."""
    file = world.stack.temporary / "portal-map.db"
    settings = PortalSettings(
        state_dir=world.stack.state.root, database_url=f"sqlite:///{file}", secret_key=SecretStr("s" * 40)
    )
    deps = portal_bootstrap(settings)
    rules = list(portal_app.create_app(deps).url_map.iter_rules())
    deps.core.database.dispose()
    ids = _ids_of_portal(world)
    return sorted({path for rule in rules if _is_page(rule) for path in _filled(rule, ids)})


def _ids_of_portal(world: World) -> Mapping[str, list[str]]:
    columns = {
        "link_id": "SELECT link_id FROM links ORDER BY issued_at DESC LIMIT 3",
        "payment_id": "SELECT payment_id FROM payments ORDER BY payment_id DESC LIMIT 3",
        "booking_id": "SELECT booking_id FROM trips LIMIT 3",
        "request_id": "SELECT request_id FROM sign_requests LIMIT 3",
        "document_id": "SELECT document_id FROM signed_documents LIMIT 3",
    }
    found = {name: [str(row[0]) for row in world.stack.query("portal", query)] for name, query in columns.items()}
    return found | {"name": ["maya-okafor"]}


def _is_page(rule: Rule) -> bool:
    # The stream never ends; static files hold no data.
    return "GET" in (rule.methods or ()) and "static" not in rule.endpoint and "stream" not in rule.rule


def _filled(rule: Rule, ids: Mapping[str, list[str]]) -> list[str]:
    counts = [len(ids.get(name, ["x"])) for name in rule.arguments]
    paths = []
    for number in range(max(counts, default=1)):

        def value(match: re.Match[str], number: int = number) -> str:
            known = ids.get(match.group(1).rpartition(":")[2], ["x"])
            return known[number % len(known)] if known else "x"

        paths.append(re.sub(r"<([^>]+)>", value, rule.rule))
    return paths


def _look(answer: Answer, where: str) -> None:
    assert answer.status < 500, f"{where}: {answer.status}"
    if "html" in answer.kind or "json" in answer.kind or "csv" in answer.kind:
        # The coordinates of a drawing are long runs of digits too; so are the floats of /metrics.
        shown = re.sub(r"<svg.*?</svg>", "", answer.text, flags=re.DOTALL)
        assert not holds_card(shown), f"{where} shows what looks like a card number"
    if "text" in answer.kind or "json" in answer.kind:
        digits = re.sub(r"[ -]", "", answer.text)
        assert all(canary.number not in digits for canary in (*CANARIES, *OTHERS)), where
