"""The composition of the street of access: agencies and agents, signing in, the office's own acts."""

from chassis.bus import EventHandlers
from chassis.lifecycle import Loop, every
from chassis.sealing import LetterSealer
from chassis.web.drafts import Drafts
from chassis.web.passwords import Passwords
from services.crm.access.activity.service import Activities
from services.crm.access.agency.service import Directory
from services.crm.access.auth.secrets import AuthenticatorSecrets
from services.crm.access.auth.service import SignIn
from services.crm.access.enrolment.service import Enrolments
from services.crm.access.invitations.service import Invitations
from services.crm.access.parts import Access
from services.crm.access.public_pages import events as public_page_events
from services.crm.access.public_pages.service import PublicPages
from services.crm.access.saved_views.service import SavedViews
from services.crm.core.parts import Core
from services.crm.core.ports.vault import RegisterPort
from services.crm.orm import drafts

_HOUSEKEEPING_SECONDS = 600.0


def make_access(core: Core, passwords: Passwords, *, register: RegisterPort, letters: LetterSealer) -> Access:
    """The rooms, joined."""
    directory = Directory(database=core.database, outbox=core.outbox, clock=core.clock)
    sign_in = SignIn(
        database=core.database,
        directory=directory,
        clock=core.clock,
        passwords=passwords,
        authenticators=AuthenticatorSecrets(core.settings.require_secret_key()),
        outbox=core.outbox,
        letters=letters,
        public_url=core.settings.public_url,
    )
    return Access(
        directory=directory,
        sign_in=sign_in,
        activities=Activities(database=core.database, clock=core.clock, names=directory.names),
        public_pages=PublicPages(database=core.database, outbox=core.outbox, clock=core.clock, directory=directory),
        enrolments=Enrolments(register=register, clock=core.clock),
        invitations=Invitations(
            database=core.database,
            outbox=core.outbox,
            clock=core.clock,
            sign_in=sign_in,
            letters=letters,
            public_url=core.settings.public_url,
        ),
        saved_views=SavedViews(database=core.database, clock=core.clock),
    )


def register_events(handlers: EventHandlers, access: Access) -> None:
    """What the rooms do on events of the portal."""
    public_page_events.register(handlers, access.public_pages)


def timers(core: Core, access: Access) -> list[tuple[str, Loop]]:
    """What the rooms do by the clock."""
    kept = Drafts(core.database, drafts, core.clock, secret_key=core.settings.require_secret_key())
    return [
        ("draft housekeeping", every(_HOUSEKEEPING_SECONDS, kept.sweep, "draft housekeeping")),
        ("sign-in housekeeping", every(_HOUSEKEEPING_SECONDS, access.sign_in.sweep, "sign-in housekeeping")),
        ("session housekeeping", every(_HOUSEKEEPING_SECONDS, core.sessions.sweep, "session housekeeping")),
    ]
