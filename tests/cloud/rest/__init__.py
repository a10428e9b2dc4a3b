"""The REST API, as far as the hotline uses it: https://www.twilio.com/docs/voice/api. One file a resource."""

from tests.cloud.rest.app import rest_app

__all__ = ["rest_app"]
