"""Use cases of the document library: templates, their versions, and the states that restrict service fees."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, delete, or_, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from chassis.typed.names import title_key
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.signing.esign.built_in import BUILT_IN
from services.crm.signing.esign.models import FeeRestrictionRow, TemplateRow, TemplateVersionRow
from services.crm.signing.esign.rules import KIND_WORDS, US_STATES, DocumentKind, Required, template_errors

_ORDER = {kind: place for place, kind in enumerate(DocumentKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateData:
    """What is entered about a template."""

    title: str
    body: str
    required: Required = Required.NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template with the newest version of its text. `agent_id`: whose own it is; None = the agency's."""

    id: str
    agency_id: str
    agent_id: str | None
    kind: DocumentKind
    required: Required
    number: int
    title: str
    body: str
    archived: bool
    updated_at: datetime
    version: int

    @property
    def label(self) -> str:
        """ "Terms and conditions v3": what certificates call the text."""
        return f"{self.title[:50]} v{self.number}"

    @property
    def kind_words(self) -> str:
        return KIND_WORDS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A text that a template had. `written_by` is a name, empty for what came with Wayvault."""

    number: int
    title: str
    body: str
    written_by: str
    created_at: datetime


class Library:
    """The document library. Methods with a `session` are parts of a caller's transaction."""

    def __init__(self, *, database: Database, clock: Clock, directory: Directory) -> None:
        self._database = database
        self._clock = clock
        self._directory = directory

    def templates(self, actor: Actor) -> list[Template]:
        """What the actor may use: the agency's documents and their own; an admin sees those of all agents."""
        with self._database.read() as session:
            found = self._select(session, actor)
        if {template.kind for template in found} >= set(BUILT_IN):
            return found
        with self._database.transaction() as session:
            self._stock(session, actor.agency_id)
        with self._database.read() as session:
            return self._select(session, actor)

    def get(self, actor: Actor, template_id: str) -> Template:
        """Raises NotFound for what does not exist or the actor may not see."""
        with self._database.read() as session:
            return self.load(session, actor, template_id)

    def load(self, session: Session, actor: Actor, template_id: str) -> Template:
        """As get, within the caller's transaction."""
        return _template(*_visible(session, actor, template_id))

    def of_kind(self, actor: Actor, kind: DocumentKind) -> Template:
        """The agency's own wording of what every agency has."""
        return next(template for template in self.templates(actor) if template.kind is kind)

    def may_change(self, actor: Actor, template: Template) -> bool:
        """The agency's documents are the admins' to change; an agent's own are theirs."""
        return actor.is_admin if template.agent_id is None else actor.owns(template.agent_id)

    def create(self, actor: Actor, data: TemplateData) -> Template:
        """A document of one's own; an admin's is the agency's. Raises InvalidArgument."""
        _check(data, DocumentKind.OWN)
        now = self._clock.now()
        row = TemplateRow(
            id=new_id("template"),
            agency_id=actor.agency_id,
            agent_id=None if actor.is_admin else actor.agent_id,
            kind=DocumentKind.OWN.value,
            built_in=None,
            required=_required(actor, data).value,
            number=1,
            created_at=now,
            updated_at=now,
        )
        text = _version(row.id, 1, data, written_by=actor.agent_id, at=now)
        with self._database.transaction() as session:
            session.add(row)
            session.flush()
            session.add(text)
            session.flush()
            return _template(row, text)

    def change(self, actor: Actor, template_id: str, data: TemplateData, *, version: int) -> Template:
        """A new title or text becomes a new version; what was sent or signed stays as it was.

        Raises NotFound, PermissionDenied, InvalidArgument or ChangedMeanwhile.
        """
        with self._database.transaction() as session:
            row, text = self._own(session, actor, template_id, version)
            _check(data, DocumentKind(row.kind))
            now = self._clock.now()
            row.required = _required(actor, data).value
            row.updated_at = now
            if (data.title, data.body) != (text.title, text.body):
                row.number += 1
                text = _version(row.id, row.number, data, written_by=actor.agent_id, at=now)
                session.add(text)
            session.flush()
            return _template(row, text)

    def archive(self, actor: Actor, template_id: str, *, version: int, archived: bool) -> Template:
        """Takes an own document out of the library, or back into it. Raises as change."""
        with self._database.transaction() as session:
            row, text = self._own(session, actor, template_id, version)
            if row.built_in is not None:
                raise InvalidArgument("Every agency has this document. You can change its text or when it is required.")
            row.archived_at = self._clock.now() if archived else None
            session.flush()
            return _template(row, text)

    def versions(self, actor: Actor, template_id: str) -> list[Version]:
        """Every text that the template had, newest first. Raises NotFound."""
        with self._database.read() as session:
            row, _ = _visible(session, actor, template_id)
            names = self._directory.names(session, row.agency_id)
            found = session.scalars(
                select(TemplateVersionRow)
                .where(TemplateVersionRow.template_id == row.id)
                .order_by(TemplateVersionRow.number.desc())
            )
            return [
                Version(
                    number=text.number,
                    title=text.title,
                    body=text.body,
                    written_by=names.get(text.written_by or "", ""),
                    created_at=text.created_at,
                )
                for text in found
            ]

    def restrictions(self, agency_id: str) -> Mapping[str, str]:
        """The US states that restrict service fees, by code, each with the admin's note."""
        with self._database.read() as session:
            return self.load_restrictions(session, agency_id)

    def load_restrictions(self, session: Session, agency_id: str) -> Mapping[str, str]:
        """As restrictions, within the caller's transaction."""
        query = select(FeeRestrictionRow).where(FeeRestrictionRow.agency_id == agency_id)
        return {row.state: row.note for row in session.scalars(query.order_by(FeeRestrictionRow.state))}

    def set_restrictions(self, actor: Actor, wanted: Mapping[str, str]) -> None:
        """Replaces the list. Raises PermissionDenied for non-admins, InvalidArgument for what is no state."""
        if not actor.is_admin:
            raise PermissionDenied("Only an admin keeps this list.")
        if unknown := set(wanted) - set(US_STATES):
            raise InvalidArgument(f"There is no state {sorted(unknown)[0]}.", field="states")
        with self._database.transaction() as session:
            session.execute(delete(FeeRestrictionRow).where(FeeRestrictionRow.agency_id == actor.agency_id))
            session.add_all(
                FeeRestrictionRow(agency_id=actor.agency_id, state=state, note=" ".join(note.split())[:300])
                for state, note in wanted.items()
            )

    def _select(self, session: Session, actor: Actor) -> list[Template]:
        own = or_(TemplateRow.agent_id.is_(None), TemplateRow.agent_id == actor.agent_id)
        conditions = [TemplateRow.agency_id == actor.agency_id]
        if not actor.is_admin:
            conditions.append(own)
        rows = session.execute(_with_text().where(*conditions)).all()
        found = [_template(row, text) for row, text in rows]
        return sorted(found, key=lambda one: (one.archived, _ORDER[one.kind], title_key(one.title), one.id))

    def _stock(self, session: Session, agency_id: str) -> None:
        """Puts the built-in documents into an agency's library; safe to repeat."""
        now = self._clock.now()
        for kind, (title, body, required) in BUILT_IN.items():
            values = {
                "id": new_id("template"),
                "agency_id": agency_id,
                "agent_id": None,
                "kind": kind.value,
                "built_in": kind.value,
                "required": required.value,
                "number": 1,
                "archived_at": None,
                "created_at": now,
                "updated_at": now,
                "version": 1,
            }
            if insert_if_absent(session, TemplateRow.__table__, values):  # type: ignore[arg-type]
                data = TemplateData(title=title, body=body, required=required)
                session.add(_version(str(values["id"]), 1, data, written_by=None, at=now))

    def _own(
        self, session: Session, actor: Actor, template_id: str, version: int
    ) -> tuple[TemplateRow, TemplateVersionRow]:
        row, text = _visible(session, actor, template_id)
        if not self.may_change(actor, _template(row, text)):
            raise PermissionDenied(
                "Only an admin changes the agency's documents. Make a document of your own instead."
                if row.agent_id is None
                else "Only the agent who wrote this document can change it."
            )
        session.refresh(row, with_for_update=True)
        if row.version != version:
            raise ChangedMeanwhile
        return row, text


def required_of(templates: Collection[Template]) -> Sequence[tuple[str, str, DocumentKind, Required]]:
    """What esign.rules.missing asks of templates: the agency's, and no archived ones."""
    return [(one.id, one.title, one.kind, one.required) for one in templates if not one.archived and not one.agent_id]


def _with_text() -> "Select[TemplateRow, TemplateVersionRow]":
    newest = and_(TemplateVersionRow.template_id == TemplateRow.id, TemplateVersionRow.number == TemplateRow.number)
    return select(TemplateRow, TemplateVersionRow).join(TemplateVersionRow, newest)


def _visible(session: Session, actor: Actor, template_id: str) -> tuple[TemplateRow, TemplateVersionRow]:
    found = session.execute(
        _with_text().where(TemplateRow.id == template_id, TemplateRow.agency_id == actor.agency_id)
    ).first()
    if found is None or not (actor.is_admin or found[0].agent_id in (None, actor.agent_id)):
        raise NotFound("There is no such document in your library.")
    return found[0], found[1]


def _required(actor: Actor, data: TemplateData) -> Required:
    """What every booking needs is the agency's to say, not one agent's."""
    return data.required if actor.is_admin else Required.NEVER


def _check(data: TemplateData, kind: DocumentKind) -> None:
    for field, message in template_errors(data.title, data.body, kind).items():
        raise InvalidArgument(message, field=field)


def _version(
    template_id: str, number: int, data: TemplateData, *, written_by: str | None, at: datetime
) -> TemplateVersionRow:
    return TemplateVersionRow(
        template_id=template_id,
        number=number,
        title=data.title.strip(),
        body=data.body,
        written_by=written_by,
        created_at=at,
    )


def _template(row: TemplateRow, text: TemplateVersionRow) -> Template:
    return Template(
        id=row.id,
        agency_id=row.agency_id,
        agent_id=row.agent_id,
        kind=DocumentKind(row.kind),
        required=Required(row.required),
        number=row.number,
        title=text.title,
        body=text.body,
        archived=row.archived_at is not None,
        updated_at=row.updated_at,
        version=row.version,
    )
