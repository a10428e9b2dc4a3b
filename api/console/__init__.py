"""The pages that people see, rendered here. Scripts only where a page needs one; nothing is fetched from elsewhere."""
