"""What the commands say, by language: Chinese first. `--json` output never passes through here."""

from collections.abc import Mapping
from functools import lru_cache

from pydantic import ValidationError

from api.console.catalogue import LANGUAGES, Words
from cli.called import called
from cli.proof_messages import SENTENCES

#: key -> (zh-Hans, zh-Hant, en)
CATALOGUE: Mapping[str, tuple[str, str, str]] = {
    "api_away": (
        "连不上 API（{url}）。请先运行 `{hotline} up`，或用 --url 指定地址。",
        "連不上 API（{url}）。請先執行 `{hotline} up`，或用 --url 指定位址。",
        "The API does not answer at {url}. Start it with `{hotline} up`, or give its address with --url.",
    ),
    "token_missing": (
        "没有令牌。请设置 HOTLINE_ADMIN_TOKEN，或在运行 `{hotline} up` 的目录里执行（状态目录 {path}）。",
        "沒有令牌。請設定 HOTLINE_ADMIN_TOKEN，或在執行 `{hotline} up` 的目錄裡執行（狀態目錄 {path}）。",
        "There is no token. Set HOTLINE_ADMIN_TOKEN, or run this where `{hotline} up` runs (state directory {path}).",
    ),
    "refused": (
        "API 拒绝了（{code}）：{detail} 请检查令牌 HOTLINE_ADMIN_TOKEN。",
        "API 拒絕了（{code}）：{detail} 請檢查令牌 HOTLINE_ADMIN_TOKEN。",
        "The API refused ({code}): {detail} Check the token, HOTLINE_ADMIN_TOKEN.",
    ),
    "impossible": ("无法执行（{code}）：{detail}", "無法執行（{code}）：{detail}", "Not possible ({code}): {detail}"),
    "session_overlaps": (
        "这个时段已有场次 {id}（{state}，{opens} 至 {closes}；session_overlaps）。"
        "请先把它改期或取消（正在进行的，先结束或改期），或另选时间。",
        "這個時段已有場次 {id}（{state}，{opens} 至 {closes}；session_overlaps）。"
        "請先把它改期或取消（正在進行的，先結束或改期），或另選時間。",
        "Session {id} is held at this time ({state}, {opens} to {closes}; session_overlaps). Postpone or cancel it first (close "
        "or postpone it when it is open), or choose another time.",
    ),
    "api_failed": (
        "API 暂时不可用（{code}）：{detail} 请看 `{hotline} doctor`。",
        "API 暫時不可用（{code}）：{detail} 請看 `{hotline} doctor`。",
        "The API cannot do this now ({code}): {detail} See `{hotline} doctor`.",
    ),
    "bad_setting": ("设置有误：{detail}", "設定有誤：{detail}", "A setting is wrong: {detail}"),
    "missing_setting": ("需要设置：{names}", "需要設定：{names}", "To be set first: {names}"),
    "bad_value": ("{name} 不对：{value}。{hint}", "{name} 不對：{value}。{hint}", "{name} is wrong: {value}. {hint}"),
    "port_taken": (
        "端口被占用（{detail}）。请停掉占用者，或设置 HOTLINE_HTTP_PORT。",
        "埠被占用（{detail}）。請停掉占用者，或設定 HOTLINE_HTTP_PORT。",
        "The port is taken ({detail}). Stop what uses it, or set HOTLINE_HTTP_PORT.",
    ),
    "program_missing": (
        "缺少程序 {name}。请运行 `{command}` 安装。",
        "缺少程式 {name}。請執行 `{command}` 安裝。",
        "The program {name} is missing. Install it with `{command}`.",
    ),
    "no_open_session": (
        "现在没有进行中的场次。先运行 `{hotline} session create --demo`。",
        "現在沒有進行中的場次。先執行 `{hotline} session create --demo`。",
        "No session is open. Run `{hotline} session create --demo` first.",
    ),
    "no_seat_here": (
        "进行中的场次没有本机的席位线路。用 `{hotline} session create --demo` 建一个演示场次。",
        "進行中的場次沒有本機的席位線路。用 `{hotline} session create --demo` 建一個演示場次。",
        "No seat of the open session answers on this machine. `{hotline} session create --demo` makes one that does.",
    ),
    "session_made": (
        "场次 {id} 已建立（{state}），{opens} 至 {closes}。",
        "場次 {id} 已建立（{state}），{opens} 至 {closes}。",
        "Session {id} is made ({state}), {opens} to {closes}.",
    ),
    "session_is": ("场次 {id} 现在：{state}", "場次 {id} 現在：{state}", "Session {id} is now {state}"),
    "told": ("已告知 {told} 位等候的人。", "已告知 {told} 位等候的人。", "{told} callers who wait were told."),
    "fairness": (
        "接通 {served} 位，没有原因的插队 {unexplained} 处。",
        "接通 {served} 位，沒有原因的插隊 {unexplained} 處。",
        "{served} served, {unexplained} out of order without a reason.",
    ),
    "seat_is": ("席位 {id} 现在：{state}", "席位 {id} 現在：{state}", "Seat {id} is now {state}"),
    "order_is": ("工单 {number} 现在：{state}", "工單 {number} 現在：{state}", "Work order {number} is now {state}"),
    "nothing": ("没有记录。", "沒有記錄。", "Nothing to show."),
    "ledger_whole": (
        "每一个来电都有结果：{calls} 个来电。",
        "每一個來電都有結果：{calls} 個來電。",
        "Every call is accounted for. Calls: {calls}.",
    ),
    "ledger_live": ("其中 {live} 个还在进行。", "其中 {live} 個還在進行。", "{live} of them are still going on."),
    "ledger_broken": (
        "有 {count} 个来电没有结果：{calls}。请看 `{hotline} call show <编号>`。",
        "有 {count} 個來電沒有結果：{calls}。請看 `{hotline} call show <編號>`。",
        "{count} calls have no outcome: {calls}. See `{hotline} call show <id>`.",
    ),
    "ledger_cdr": (
        "Asterisk 话单 {records} 条，台账缺 {missing} 条。",
        "Asterisk 話單 {records} 條，台帳缺 {missing} 條。",
        "Asterisk's records: {records}; missing from the ledger: {missing}.",
    ),
    "line_head": (
        "{theme}{state}，{depth} 人等候，最长 {longest}",
        "{theme}{state}，{depth} 人等候，最長 {longest}",
        "{theme}{state}, {depth} waiting, longest {longest}",
    ),
    "no_session": ("没有进行中的场次", "沒有進行中的場次", "no session is open"),
    "stream_cut": (
        "与 API 的连接断了，正在重连…",
        "與 API 的連線斷了，正在重連…",
        "The stream was cut; connecting again ...",
    ),
    "dialling": ("{count} 个来电正在拨打 {number}", "{count} 個來電正在撥打 {number}", "{count} callers dial {number}"),
    "leader_ready": (
        "领导席位 {leader}（{unit}）在 {address} 等待来电，Ctrl-C 结束。",
        "領導席位 {leader}（{unit}）在 {address} 等待來電，Ctrl-C 結束。",
        "Leader {leader} ({unit}) answers at {address}; Ctrl-C ends.",
    ),
    "double_missing": (
        "云电话的替身在源码的 tests/cloud 里，安装包不带。请在源码目录运行。",
        "雲電話的替身在原始碼的 tests/cloud 裡，安裝包不帶。請在原始碼目錄執行。",
        "The double of the cloud phone is in the source's tests/cloud, not in the package. Run this in a source checkout.",
    ),
    "cloud_not_local": (
        "没有指向本机的云电话。请为 `{hotline} up` 和本命令设置：{example}",
        "沒有指向本機的雲電話。請為 `{hotline} up` 和本命令設定：{example}",
        "There is no cloud phone on this machine. Set for `{hotline} up` and for this command: {example}",
    ),
    "cloud_port_taken": (
        "端口 {port} 被占用：是否已有一个 `{hotline} dial --cloud`？",
        "埠 {port} 被占用：是否已有一個 `{hotline} dial --cloud`？",
        "Port {port} is taken: does another `{hotline} dial --cloud` run?",
    ),
    "cloud_keys": (
        "键盘就是电话：数字加回车是按键，s 加回车是说话五秒，h 加回车或 Ctrl-C 是挂机。",
        "鍵盤就是電話：數字加 Enter 是按鍵，s 加 Enter 是說話五秒，h 加 Enter 或 Ctrl-C 是掛機。",
        "The keyboard is the telephone: digits and Enter press keys, s and Enter speaks for 5 s, h and Enter or Ctrl-C hangs up.",
    ),
    "cloud_refused": (
        "以上是真实的云电话不会接受的。若写着 403 或 404：`{hotline} up` 要用同样的设置启动，例如 {example}",
        "以上是真實的雲電話不會接受的。若寫著 403 或 404：`{hotline} up` 要用同樣的設定啟動，例如 {example}",
        "The real cloud would not have taken this. If it says 403 or 404: start `{hotline} up` with the same settings, as {example}",
    ),
    "phone_failed": ("电话程序出错：{detail}", "電話程式出錯：{detail}", "The phone failed: {detail}"),
    "leader_port_taken": (
        "领导线路的端口 {port} 被占用：是否已有一个 `{hotline} dial --leader`？",
        "領導線路的埠 {port} 被占用：是否已有一個 `{hotline} dial --leader`？",
        "Port {port} of the leader's line is taken: does another `{hotline} dial --leader` run?",
    ),
    "dial_done": (
        "{good} 个来电成功，{bad} 个失败。",
        "{good} 個來電成功，{bad} 個失敗。",
        "Calls that went well: {good}; that failed: {bad}.",
    ),
    "demo_next": (
        "接着：在一个终端运行 `{hotline} dial --leader`，在另一个运行 `{hotline} dial --wait`。",
        "接著：在一個終端執行 `{hotline} dial --leader`，在另一個執行 `{hotline} dial --wait`。",
        "Next: `{hotline} dial --leader` in one terminal, `{hotline} dial --wait` in another.",
    ),
    "account_made": ("账号 {login} 已建立（{role}）。", "帳號 {login} 已建立（{role}）。", "Account {login} is made ({role})."),
    "account_is": ("账号 {login} 已更新：{enabled}", "帳號 {login} 已更新：{enabled}", "Account {login} is changed: {enabled}"),
    "accounts_away": (
        "账号暂时用不了：{detail} 请先运行 `{hotline} up`。",
        "帳號暫時用不了：{detail} 請先執行 `{hotline} up`。",
        "Accounts cannot be reached: {detail} Start `{hotline} up` first.",
    ),
    "token_revoked": ("令牌 {name} 已吊销。", "令牌 {name} 已撤銷。", "Token {name} is revoked."),
    "interrupted": ("已停止。", "已停止。", "Stopped."),
    "unforeseen": (
        "意外错误（{kind}）。请运行 `{hotline} doctor`；设 HOTLINE_LOG_LEVEL=debug 可看详情。",
        "意外錯誤（{kind}）。請執行 `{hotline} doctor`；設 HOTLINE_LOG_LEVEL=debug 可看詳情。",
        "An unforeseen error ({kind}). Run `{hotline} doctor`; HOTLINE_LOG_LEVEL=debug shows the details.",
    ),
    "part_missing": (
        "这一部分还没有装上：{part}",
        "這一部分還沒有裝上：{part}",
        "This part is not installed: {part}",
    ),
    # table heads
    "col_id": ("编号", "編號", "id"),
    "col_state": ("状态", "狀態", "state"),
    "col_opens": ("开始", "開始", "opens"),
    "col_closes": ("结束", "結束", "closes"),
    "col_theme": ("主题", "主題", "theme"),
    "col_unit": ("承办单位", "承辦單位", "unit"),
    "col_leader": ("接听领导", "接聽領導", "leader"),
    "col_line": ("线路", "線路", "line"),
    "col_depth": ("等候", "等候", "waiting"),
    "col_position": ("位次", "位次", "position"),
    "col_number": ("号码", "號碼", "number"),
    "col_waited": ("已等", "已等", "waited"),
    "col_carrier": ("来路", "來路", "carrier"),
    "col_call": ("来电", "來電", "call"),
    "col_tags": ("标签", "標籤", "tags"),
    "col_source": ("来源", "來源", "source"),
    "col_login": ("账号", "帳號", "account"),
    "col_name": ("姓名", "姓名", "name"),
    "col_role": ("角色", "角色", "role"),
    "col_enabled": ("启用", "啟用", "enabled"),
    "col_scopes": ("权限", "權限", "scopes"),
    "col_expires": ("到期", "到期", "expires"),
    "col_created": ("建立", "建立", "made"),
    "col_due": ("期限", "期限", "due"),
    "col_at": ("时间", "時間", "at"),
    "col_kind": ("事项", "事項", "what"),
    "col_data": ("内容", "內容", "data"),
    "col_outcome": ("结果", "結果", "outcome"),
    "col_count": ("数量", "數量", "count"),
    "col_order": ("工单", "工單", "order"),
    "col_result": ("呼叫结果", "呼叫結果", "result"),
    # words
    "planned": ("待开始", "待開始", "planned"),
    "open": ("进行中", "進行中", "open"),
    "closing": ("收尾中", "收尾中", "closing"),
    "postponed": ("已改期", "已改期", "postponed"),
    "cancelled": ("已取消", "已取消", "cancelled"),
    "closed": ("已关闭", "已關閉", "closed"),
    "free": ("空闲", "空閒", "free"),
    "ringing": ("振铃", "振鈴", "ringing"),
    "talking": ("通话中", "通話中", "talking"),
    "wrap_up": ("整理", "整理", "wrap-up"),
    "paused": ("暂停", "暫停", "paused"),
    "waiting": ("等候", "等候", "waiting"),
    "ended": ("已结束", "已結束", "ended"),
    "left": ("已离开队列", "已離開隊列", "left the line"),
    "offered": ("接通中", "接通中", "offered"),
    "talked": ("领导接听", "領導接聽", "talked"),
    "work_order": ("转为工单", "轉為工單", "work order"),
    "callback": ("约定回拨", "約定回撥", "callback"),
    "transferred": ("转话务员", "轉話務員", "transferred"),
    "abandoned": ("中途挂断", "中途掛斷", "abandoned"),
    "fallback": ("故障兜底", "故障兜底", "fallback"),
    **SENTENCES,
}
_COLUMN = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}


@lru_cache
def _language() -> str:
    from config.settings import load_settings

    try:
        return load_settings().language
    except ValidationError:
        return "zh-Hans"


def say(key: str, /, **values: object) -> str:
    """The sentence `key` in the language of the settings, with `values` filled in. Unknown words stay as they are."""
    if key not in CATALOGUE:
        return key
    return CATALOGUE[key][_COLUMN[_language()]].format(hotline=called(), **values)


def word(kind: str, value: str) -> str:
    """The console's word for a state or another value of ours, in the language of the settings."""
    return Words(LANGUAGES[_COLUMN[_language()]]).word(kind, value)
