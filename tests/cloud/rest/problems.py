"""Errors of the REST API, in Twilio's form."""

from starlette.responses import JSONResponse

#: code -> (HTTP status, message)
PROBLEMS = {
    20001: (400, "Unknown parameters"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    21201: (400, "No 'To' number specified"),
    21205: (400, "Url parameter is required or invalid"),
    21208: (400, "Invalid Timeout"),
    21210: (400, "'From' phone number not verified"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid 'From' Number"),
    21213: (400, "'From' phone number is required"),
    21218: (400, "Invalid ApplicationSid"),
    21220: (400, "Invalid call state"),
    21402: (400, "VoiceUrl is invalid"),
    21403: (400, "Method is invalid"),
    21626: (400, "Invalid statusCallbackEvents"),
}


class Problem(Exception):
    """Ends a request with an error."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(f"{code} {detail}")
        self.code = code
        self.detail = detail

    def response(self) -> JSONResponse:
        """https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions"""
        status, message = PROBLEMS[self.code]
        text = f"{message}: {self.detail}" if self.detail else message
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        return JSONResponse({"code": self.code, "message": text, "more_info": more, "status": status}, status)
