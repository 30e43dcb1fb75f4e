"""News of the portal's rows (chassis.db.news): of a client, a link, a payment, a request, a visit, a trip by its id."""

from typing import Final

from chassis.db.news import News
from services.portal.orm import Base

# Of everybody together: more than come about while a page waits longest before it asks again (follow.js).
_KEPT: Final = 20_000

PAGE_NEWS: Final = News.attach(Base.metadata, name="page_news", about="about", kept=_KEPT)
news: Final = PAGE_NEWS.of
tell: Final = PAGE_NEWS.tell
