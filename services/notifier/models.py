"""Imports every room's models, so that the metadata is complete for migrations."""

from services.notifier.agencies.models import AgencyLook
from services.notifier.deliveries.models import Delivery
from services.notifier.mailbox.models import MailboxMessage
from services.notifier.merges.models import merged_clients
from services.notifier.orm import Base
from services.notifier.reminders.models import (
    ReminderAgencyRow,
    ReminderAgentRow,
    ReminderBookingRow,
    ReminderClientRow,
    ReminderGuestRow,
    ReminderPaymentRow,
    ReminderRow,
    ReminderRuleRow,
    ReminderSwitchRow,
)

__all__ = [
    "AgencyLook",
    "Base",
    "Delivery",
    "MailboxMessage",
    "ReminderAgencyRow",
    "ReminderAgentRow",
    "ReminderBookingRow",
    "ReminderClientRow",
    "ReminderGuestRow",
    "ReminderPaymentRow",
    "ReminderRow",
    "ReminderRuleRow",
    "ReminderSwitchRow",
    "merged_clients",
]
