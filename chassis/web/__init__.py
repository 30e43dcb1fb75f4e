"""What every web process stands on: app factory, sessions, forms, layouts, parts, assets.

Layouts: `layout/desk.html` (CRM), `layout/guest.html` (portal), `layout/bare.html` (sign-in).
Macros: `ui/forms.html`, `ui/parts.html`. README.md beside this file says how a page is built with them.
"""

from chassis.web.app import WebContext, WebSettings, make_app
from chassis.web.page import Brand, Crumb, NavItem, PendingAlert, Viewer
from chassis.web.server import serve

__all__ = ["Brand", "Crumb", "NavItem", "PendingAlert", "Viewer", "WebContext", "WebSettings", "make_app", "serve"]
