"""`make phone-proof`: hundreds of whole calls through the masker by a clock of their own (issue 10, points 3 to 5)."""
