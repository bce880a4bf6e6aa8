"""Plain references: each a published algorithm in a page, on dense arrays, nothing bounded."""
