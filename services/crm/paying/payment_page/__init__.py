"""The payment area: one page that puts links, reveals, card removal and closing together (M5 to M8, M11, M12)."""
