"""工單: work orders, their deadlines, documents and reports."""
