"""Reading parameters strictly: Twilio passes over those it does not know, we complain."""

from collections.abc import Collection

from starlette.datastructures import QueryParams
from starlette.requests import Request

from tests.cloud import values
from tests.cloud.rest.problems import Problem


async def read_form(request: Request, known: Collection[str]) -> dict[str, list[str]]:
    """The posted parameters. Raises Problem when one is unknown."""
    async with request.form() as form:
        given = {name: [str(value) for value in form.getlist(name)] for name in form}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Problem(20001, ", ".join(unknown))
    return given


def check_query(request: Request, known: Collection[str]) -> None:
    """Raises Problem when a list is filtered by something unknown."""
    unknown = sorted(set(request.query_params) - {*known, "PageSize", "Page", "PageToken"})
    if unknown:
        raise Problem(20001, ", ".join(unknown))


def one(form: dict[str, list[str]], name: str, default: str = "") -> str:
    """A parameter that is given once."""
    return form.get(name, [default])[-1]


def url(form: dict[str, list[str]], name: str, code: int) -> str:
    """A parameter that is empty or an absolute URL."""
    value = one(form, name)
    if value and not (values.url(value) and value.startswith(("http://", "https://"))):
        raise Problem(code, f"{name}={value!r}")
    return value


def method(form: dict[str, list[str]], name: str) -> str:
    """A parameter that is an HTTP method, POST by default."""
    value = one(form, name, "POST")
    if not values.METHOD(value):
        raise Problem(21403, f"{name}={value!r}")
    return value


def page(request: Request, name: str, items: list[dict[str, object]]) -> dict[str, object]:
    """One page of a list; PageSize and Page as the official client sends them."""
    query: QueryParams = request.query_params
    size, number = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
    start = number * size
    more = start + size < len(items)
    following = f"{request.url.path}?{request.url.include_query_params(Page=number + 1).query}" if more else None
    return {
        name: items[start : start + size],
        "page": number,
        "page_size": size,
        "next_page_uri": following,
        "start": start,
    }
