"""Whatever is done to the trail behind the vault's back, verification finds it."""

import random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.vault.audit.service import AuditEntry
from services.vault.audit.verify import verify
from tests.support.vault import VaultRooms

TEXTS = ("action", "actor", "agent_id", "resource", "card_token", "reason", "ip", "user_agent", "key_id")
ROWS = 40
KINDS = ("edit", "delete", "swap", "cut", "cut with head", "append", "renumber", "move", "head", "chain")


@pytest.fixture
def written(rooms: VaultRooms) -> VaultRooms:
    """Two chains, signed at their ends, and the guards off: the intruder owns the database."""
    other = rooms.another_process()
    for number in range(ROWS):
        audit = rooms.audit if number % 3 else other
        with rooms.database.transaction() as session:
            audit.record(
                session,
                AuditEntry(
                    action="card.revealed",
                    result="ok" if number % 5 else "refused",
                    actor="crm",
                    agent_id=f"agent_{number % 4}",
                    resource=f"challenge_{number}",
                    card_token=f"card_{number % 7}",
                    reason="Supplier on the line",
                    ip="198.51.100.7",
                    user_agent="Browser/1.0",
                ),
            )
    rooms.audit.write_heads()
    with rooms.database.engine.begin() as connection:
        for trigger in ("audit_rows_no_update", "audit_rows_no_delete"):
            connection.execute(text(f"DROP TRIGGER {trigger}"))
    return rooms


def snapshot(rooms: VaultRooms) -> dict[str, list[dict[str, Any]]]:
    with rooms.database.engine.connect() as connection:
        return {
            table: [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]
            for table in ("audit_rows", "audit_chains")
        }


def restore(session: Session, state: dict[str, list[dict[str, Any]]]) -> None:
    for table, rows in state.items():
        session.execute(text(f"DELETE FROM {table}"))
        if rows:
            names = list(rows[0])
            values = ", ".join(f":{name}" for name in names)
            session.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"), rows)


def a_mutation(dice: random.Random, state: dict[str, list[dict[str, Any]]]) -> tuple[str, dict[str, Any]]:
    """A changed copy of the trail: a row edited, deleted, doubled, swapped, renumbered, moved; a chain cut or gone."""
    rows = [dict(row) for row in state["audit_rows"]]
    chains = [dict(chain) for chain in state["audit_chains"]]
    kind = dice.choice(
        ["edit", "delete", "swap", "cut", "cut with head", "append", "renumber", "move", "head", "chain"]
    )
    index = dice.randrange(len(rows))
    row = rows[index]
    chain = next(chain for chain in chains if chain["chain_id"] == row["chain_id"])
    match kind:
        case "edit":
            column = dice.choice([*TEXTS, "result", "at", "mac", "prev_mac"])
            row[column] = _other(dice, column, row[column])
        case "delete":
            del rows[index]
        case "swap":
            other = dice.choice([r for r in rows if r is not row])
            for column in ("action", "result", "actor", "agent_id", "resource", "reason", "at", "mac", "prev_mac"):
                row[column], other[column] = other[column], row[column]
        case "cut" | "cut with head":
            cut = row["sequence"]
            kept = [r for r in rows if r["chain_id"] != row["chain_id"] or r["sequence"] < cut]
            if kind == "cut with head":
                before = next((r for r in kept if (r["chain_id"], r["sequence"]) == (row["chain_id"], cut - 1)), None)
                chain["head_sequence"] = cut - 1
                chain["head_mac"] = before["mac"] if before else "0" * 64
            rows = kept
        case "append":
            last = max(r["sequence"] for r in rows if r["chain_id"] == row["chain_id"])
            rows.append({**row, "sequence": last + 1})
        case "renumber":
            last = max(r["sequence"] for r in rows if r["chain_id"] == row["chain_id"])
            row["sequence"] = last + dice.randrange(1, 50)
        case "move":
            other = next(c for c in chains if c is not chain)
            taken = max(r["sequence"] for r in rows if r["chain_id"] == other["chain_id"])
            row |= {"chain_id": other["chain_id"], "sequence": taken + 1}
        case "head":
            column = dice.choice(["head_sequence", "head_mac", "head_seal"])
            chain[column] = chain[column] + 1 if column == "head_sequence" else _other(dice, "mac", chain[column])
        case "chain":
            rows = [r for r in rows if r["chain_id"] != row["chain_id"]]
            chains = [c for c in chains if c is not chain]
    return kind, {"audit_rows": rows, "audit_chains": chains}


def _other(dice: random.Random, column: str, value: str) -> str:
    if column == "result":
        return "refused" if value == "ok" else "ok"
    if column == "at":
        return value[:-1] + str((int(value[-1]) + dice.randrange(1, 9)) % 10)
    position = dice.randrange(len(value))
    return value[:position] + ("0" if value[position] != "0" else "1") + value[position + 1 :]


def test_an_untouched_trail_has_no_findings(written: VaultRooms) -> None:
    report = written.audit.verify()

    assert (report.chains, report.rows, report.heads, report.findings) == (2, ROWS, 2, [])


def test_a_thousand_random_mutations_are_all_found(written: VaultRooms) -> None:
    state = snapshot(written)
    heads = list(written.audit._heads.read())
    dice = random.Random(20261121)
    unseen = []
    with Session(written.database.engine) as session:
        for number in range(1000):
            kind, changed = a_mutation(dice, state)
            restore(session, changed)
            if not verify(session, written.audit._keys, heads).findings:
                unseen.append((number, kind))
        restore(session, state)
        assert verify(session, written.audit._keys, heads).findings == []
    assert unseen == []


def test_a_chain_cut_back_to_an_older_backup_is_found_by_its_signed_head(written: VaultRooms) -> None:
    """The intruder restores rows and head as they were once: every MAC holds, only the second place knows better."""
    old = snapshot(written)
    with written.database.transaction() as session:
        written.audit.record(session, AuditEntry(action="card.revealed", actor="crm", resource="card_1"))
    written.audit.write_heads()

    with written.database.transaction() as session:
        restore(session, old)

    (finding,) = written.audit.verify().findings
    assert finding.problem == "a row whose head was signed is missing"


def test_a_changed_line_of_the_head_file_is_found(written: VaultRooms) -> None:
    lines = written.heads_file.read_text().splitlines()
    written.heads_file.write_text("\n".join([lines[0][:-1] + ("A" if lines[0][-1] != "A" else "B"), *lines[1:]]) + "\n")

    assert [finding.problem for finding in written.audit.verify().findings] == [
        "a line of the head file is not a head that the vault signed"
    ]


def test_heads_are_written_for_chains_that_moved_only(written: VaultRooms) -> None:
    assert written.audit.write_heads() == 0
    with written.database.transaction() as session:
        written.audit.record(session, AuditEntry(action="card.removed", actor="crm", resource="card_1"))

    assert written.audit.write_heads() == 1
    assert written.another_process().write_heads() == 0
    assert written.audit.verify().heads == 3


def test_closing_signs_the_heads(written: VaultRooms) -> None:
    with written.database.transaction() as session:
        written.audit.record(session, AuditEntry(action="card.removed", actor="crm", resource="card_1"))
    written.audit.close()

    assert written.another_process().write_heads() == 0


def test_the_head_file_is_private_and_only_grows(written: VaultRooms) -> None:
    before = written.heads_file.read_bytes()
    with written.database.transaction() as session:
        written.audit.record(session, AuditEntry(action="card.removed", actor="crm", resource="card_1"))
    written.audit.write_heads()

    assert written.heads_file.stat().st_mode & 0o777 == 0o600
    assert written.heads_file.read_bytes().startswith(before)
