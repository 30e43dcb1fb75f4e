"""The notifier's web application: the mailbox of mail that is kept on this machine."""

from flask import Flask

from chassis.clock import SystemClock
from chassis.db import open_database
from chassis.web.app import make_app
from chassis.web.page import Brand
from chassis.web.parts import hold
from services.notifier.config import NotifierSettings
from services.notifier.mailbox.service import Mailbox
from services.notifier.mailbox.views import blueprint as mailbox


def create_app(settings: NotifierSettings) -> Flask:
    """The app over the mailbox. It needs no letter keys, so it is made without the worker's parts."""
    database = open_database(settings.database_url, name="notifier-web")
    app = make_app(
        import_name="services.notifier",
        service="mailbox",
        title="Wayvault mailbox",
        settings=settings,
        database=database,
        layout="guest",
        # A message is shown in a frame of its own page, without scripts or network.
        frame_origin="'self'",
    )
    hold(app, Mailbox(database, SystemClock()))
    app.register_blueprint(mailbox)
    app.context_processor(lambda: {"brand": Brand(name="Wayvault mailbox")})
    return app
