"""What every street of the CRM stands on."""
