"""The report of a session as CSV and as a page to print. Shows ids of calls, and no number and no name of a caller."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from calls.report import Report, Waits

OUTCOMES = {
    "talked": "领导接听", "work_order": "转为工单", "callback": "约定回拨", "transferred": "转话务员",
    "abandoned": "中途挂断", "fallback": "故障兜底",
}  # fmt: skip
SOURCES = {
    "declined": "选择留单", "abandoned": "等候中挂断（回电）", "callback": "约定回拨", "released": "转出队列",
    "closed": "场外来电", "talked": "领导接听后", "fallback": "故障兜底", "web": "网上",
}  # fmt: skip
#: Why somebody went first (`calls.served_order`).
WHY = {
    "joined_meanwhile": "同时进入", "joined_late": "故障后才排入", "restored": "故障后恢复", "place_taken_back": "重拨归位",
    "seat_changed": "换席位", "callback": "约定回拨", "callback_missed": "回拨未接", "move": "调整位置", "next": "排到下一位",
    "urgent": "紧急",
}  # fmt: skip
_STYLE = (
    "body{font:14px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #999;padding:.2em .6em;text-align:left}h2{margin-top:1.4em}svg{width:100%;height:10em}"
    "@media print{body{margin:0}h2{break-after:avoid}}"
)
Rows = Iterable[tuple[object, ...]]


def as_csv(report: Report, zone: ZoneInfo) -> str:
    """One table: section, name, value. Opens in any spreadsheet; formulas are not executed."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("section", "name", "value"))
    for section, rows in _sections(report, zone):
        for row in rows:
            writer.writerow((section, _plain(row[0]), *map(_plain, row[1:])))
    return out.getvalue()


def as_html(report: Report, zone: ZoneInfo) -> str:
    """A page that stands alone and prints well."""
    title = f"热线问政场次报告 · {_moment(report.opens_at, zone)}"
    parts = [f"<h1>{escape(title)}</h1><p>{escape(report.theme)} <small>{escape(report.session_id)}</small></p>"]
    for section, rows in _sections(report, zone):
        if section == "depth":
            parts.append(f"<h2>等候人数 · depth</h2>{_curve(report)}")
            continue
        cells = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
        parts.append(f"<h2>{escape(_HEADS[section])}</h2><table>{cells}</table>")
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>"
    )


_HEADS = {
    "calls": "来电与结果 · calls and outcomes",
    "waits": "等候 · waits",
    "promises": "告知的机会与结果 · chance told against outcome",
    "orders": "工单 · work orders",
    "fairness": "先后次序 · served order against joining order",
    "acts": "人工干预 · acts of operators",
    "depth": "等候人数 · depth of the line",
}


def _sections(report: Report, zone: ZoneInfo) -> Iterable[tuple[str, Rows]]:
    yield (
        "calls",
        [
            ("来电 calls", report.calls),
            *((f"{OUTCOMES.get(name, name)} {name}", count) for name, count in sorted(report.outcomes.items())),
            ("无结果 unaccounted", len(report.unaccounted), *report.unaccounted),
            ("进入等候 joined", report.joined),
            ("领导接听 put through", report.served),
            ("等候中放弃 gave up waiting", report.abandoned_waiting),
        ],
    )
    yield "waits", [("接通者 put through", *_spell(report.waits_served)), ("全部 all", *_spell(report.waits_all))]
    yield (
        "promises",
        [
            (
                f"{row.least:.0%}-{row.least + 0.1:.0%}",
                f"告知 told {row.told}",
                f"未放弃 stayed {row.stayed}",
                f"接通 {row.served}",
            )
            for row in report.promises
        ],
    )
    yield "orders", [(f"{SOURCES.get(name, name)} {name}", count) for name, count in sorted(report.orders.items())]
    yield (
        "fairness",
        [
            *((n, call_id) for n, call_id in enumerate(report.served_order, 1)),
            *(
                (
                    "例外",
                    f"{one.call_id} 先于 before {' '.join(one.overtook)}",
                    _moment(one.served_at, zone),
                    "; ".join((*map(_why, one.reasons), *(f"? {call_id}" for call_id in one.unexplained))),
                )
                for one in report.deviations
            ),
        ],
    )
    yield "acts", [(_moment(at, zone), *rest) for at, *rest in report.acts]
    yield "depth", [(_moment(at, zone), depth) for at, depth in report.depth]


def _why(reason: str) -> str:
    """`move: far away (op)` -> `调整位置 move: far away (op)`."""
    kind = reason.partition(":")[0]
    return f"{WHY[kind]} {reason}" if kind in WHY else reason


def _spell(waits: Waits) -> tuple[str, ...]:
    return (
        f"{waits.count} 人", f"中位 median {waits.median_s:.0f} s", f"p90 {waits.p90_s:.0f} s",
        f"最长 longest {waits.longest_s:.0f} s",
    )  # fmt: skip


def _curve(report: Report) -> str:
    most = max((depth for _, depth in report.depth), default=0) or 1
    last = max(1, len(report.depth) - 1)
    points = " ".join(
        f"{n * 1000 / last:.0f},{190 - depth * 180 / most:.0f}" for n, (_, depth) in enumerate(report.depth)
    )
    return (
        f'<svg viewBox="0 0 1000 200" preserveAspectRatio="none" role="img" aria-label="0-{most}"><polyline fill="none" '
        f'stroke="#06c" stroke-width="2" points="{points}"/><text x="4" y="16">{most}</text></svg>'
    )


def _moment(seconds: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def _plain(cell: object) -> object:
    """A spreadsheet must not take a text for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") else cell
