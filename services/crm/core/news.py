"""News of the desk (chassis.db.news): an agent's open pages may show something that changed. The alert tells them."""

from typing import Final

from chassis.db.news import News
from services.crm.orm import Base

# Of all agents together. Older ones every page has heard long ago.
_KEPT: Final = 1000
_DESK: Final = News.attach(Base.metadata, name="desk_news", about="agent_id", kept=_KEPT)

news_table: Final = _DESK.table
# Marks a row class with an `agent_id`: its changes are news to that agent.
news: Final = _DESK.of("agent_id")
# Makes it news to agents who have no marked row: an admin whom somebody waits for.
tell: Final = _DESK.tell
sweep_news: Final = _DESK.sweep
