"""The agents and agencies that clients deal with, as the CRM tells of them."""
