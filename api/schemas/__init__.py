"""The shapes that go in and out, as documented at /openapi.json. Numbers in them are masked unless a field says otherwise."""
