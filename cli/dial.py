def dial() -> None:
    """x"""
