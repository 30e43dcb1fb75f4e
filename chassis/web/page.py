"""Values that the layouts show: whose house this is, where one can go, who is here, what is pending."""

from dataclasses import dataclass

from chassis.web.colour import DEFAULT_ACCENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """The agency as its pages show it. `accent` is "#RRGGBB" as the agency chose it; contrast is computed later."""

    name: str
    accent: str = DEFAULT_ACCENT
    logo_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """An entry of the desk's rail. `icon` is a Lucide name; `count` shows as a small number when it is not 0; `apart`
    begins a group."""

    label: str
    url: str
    icon: str
    active: bool = False
    count: int = 0
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The person signed in. `menu` holds label and address of the entries of their menu."""

    name: str
    detail: str = ""
    menu: tuple[NavItem, ...] = ()
    sign_out_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAlert:
    """The one thing that may shout: payments that clients authorized and the agent has not processed."""

    count: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crumb:
    """One step of the breadcrumbs."""

    label: str
    url: str = ""
