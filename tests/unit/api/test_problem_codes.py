"""Problems: every code has a status and a sentence, and faults never hold what was sent in."""

import json

from api.problems import CODES, problem_body, read_faults


def test_every_code_is_a_word_with_a_client_or_server_status() -> None:
    for code, (status, title) in CODES.items():
        assert code.replace("_", "").isalpha()
        assert 400 <= status < 600
        assert title
        assert json.loads(problem_body(code))["code"] == code


def test_the_name_of_an_unknown_field_stays_out() -> None:
    error = {"type": "extra_forbidden", "loc": ("body", "13812345678"), "msg": "x", "input": "13812345678"}
    assert read_faults([error]) == [{"at": "body.?", "code": "extra_forbidden", "message": "unknown field"}]


def test_a_flood_of_faults_is_cut() -> None:
    error = {"type": "missing", "loc": ("body", "x"), "msg": "Field required"}
    assert len(read_faults([error] * 1000)) == 20
