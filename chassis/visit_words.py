"""What a client is asked for in one visit, a line each: in the letter that asks, and where the agent sees it (C18)."""


def insurance_line(plan: str, price: str) -> str:
    """For an offer of travel insurance."""
    return f"Say yes or no to travel insurance: {plan}, {price}"


def document_line(title: str) -> str:
    """For a document to be signed."""
    return f"Read and sign “{title}”"


def payment_line(amount: str, purpose: str) -> str:
    """For a payment to be authorized."""
    return f"Authorize {amount} with your card: {purpose}"
