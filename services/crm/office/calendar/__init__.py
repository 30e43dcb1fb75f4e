"""A calendar of departures, returns, due dates, card lapses, tasks and birthdays, by month and by day."""
