import pytest
from rq.utils import import_attribute

from calls.job_names import EVERY


@pytest.mark.parametrize("name", sorted(EVERY))
def test_behind_each_name_is_a_job_of_one_argument(name: str) -> None:
    job = import_attribute(name)
    assert job.__code__.co_argcount == 1
    assert f"{job.__module__}.{job.__name__}" == name
