"""The payment area: codes, the one reveal, the CVV, the access history (M5, M6, M12). The way to the vault."""
