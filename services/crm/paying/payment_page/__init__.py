"""The payment area: one page that puts links, retrieval, custody and closing together (M5 to M8, M11, M12)."""
