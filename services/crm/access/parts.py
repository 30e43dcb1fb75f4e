"""What the street of access holds: who may come in, and what they did there."""

from dataclasses import dataclass

from chassis.web.parts import held
from services.crm.access.activity.service import Activities
from services.crm.access.agency.service import Directory
from services.crm.access.auth.service import SignIn
from services.crm.access.enrolment.service import Enrolments
from services.crm.access.invitations.service import Invitations
from services.crm.access.public_pages.service import PublicPages
from services.crm.access.saved_views.service import SavedViews


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The street's use cases."""

    directory: Directory
    sign_in: SignIn
    activities: Activities
    enrolments: Enrolments
    invitations: Invitations
    public_pages: PublicPages
    saved_views: SavedViews


def access() -> Access:
    """The use cases, in a page."""
    return held(Access)
