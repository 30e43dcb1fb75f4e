"""Letters: sealed mails that only this service can open, and who may write which."""
