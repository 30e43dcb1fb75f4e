"""Reports (C11): processed payments, payments due, commissions, clients; with charts, CSV and on paper."""
