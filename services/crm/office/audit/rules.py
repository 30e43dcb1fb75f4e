"""What an admin looks for in the vault's trail. Pure."""

# The vault's actions by what an admin looks for: the beginnings that AuditReader understands.
TRAIL_ACTIONS: tuple[tuple[str, str], ...] = (
    ("", "Everything"),
    ("card.revealed", "Cards shown"),
    ("cvv.", "CVVs"),
    ("challenge.", "One-time codes"),
    ("code.refused", "Wrong codes"),
    ("card.stored", "Cards stored"),
    ("card.removed", "Cards destroyed by hand or with their payment"),
    ("card.lapsed", "Cards lapsed"),
    ("second_reveal.", "Second reveals"),
    ("charge.", "Charges"),
    ("refund.", "Refunds"),
    ("mandate.", "Standing cards"),
    ("gateway_key.", "Keys of the payment gateway"),
    ("phone.", "Payments by phone"),
    ("agent.", "People enrolled and changed"),
)
