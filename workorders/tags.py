"""Tags of work orders. The tag of the sessions is the literal 熱線問政; variants of writing are one and the same in queries."""

import unicodedata

from config.text import clean

#: Put on every order born of a session (R4.3b).
SESSION_TAG = "熱線問政"
_LONGEST = 40
_TRADITIONAL = (
    "熱線問題導領辦單聯實處復訪滿緊環衛電燈氣暖戶證擾車場貿學醫療養業農鄉鎮縣"
    "區門長東開關閉訴舉報諮詢廣動員風險稅費產銷質價護網絡號碼為後裏"
)
_SIMPLIFIED = (
    "热线问题导领办单联实处复访满紧环卫电灯气暖户证扰车场贸学医疗养业农乡镇县"
    "区门长东开关闭诉举报咨询广动员风险税费产销质价护网络号码为后里"
)
_FOLD = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def normal(tag: str) -> str:
    """A tag as it is kept: clean, without `#`, and the session's tag always in its one literal form."""
    kept = clean(tag, _LONGEST).strip("# ")
    return SESSION_TAG if fold(kept) == fold(SESSION_TAG) else kept


def fold(tag: str) -> str:
    """What queries compare: widths, letter case and traditional or simplified writing do not matter."""
    return unicodedata.normalize("NFKC", clean(tag, _LONGEST)).strip("#＃ ").casefold().translate(_FOLD)
