"""What `hotline up` and `hotline doctor` say, by language: Chinese first."""

from collections.abc import Mapping

from cli.called import called
from config.settings import Language

#: key -> (zh-Hans, zh-Hant, en)
SENTENCES: Mapping[str, tuple[str, str, str]] = {
    "starting": ("正在启动（状态目录 {path}）", "正在啟動（狀態目錄 {path}）", "Starting (state directory {path})"),
    "already_running": (
        "这个状态目录已有一个实例在运行：{path}。先停掉它，或用 HOTLINE_STATE_DIR 另选目录（并另选端口）。",
        "這個狀態目錄已有一個實例在執行：{path}。先停掉它，或用 HOTLINE_STATE_DIR 另選目錄（並另選埠）。",
        "An instance already runs in this state directory: {path}. Stop it, or choose another HOTLINE_STATE_DIR (and ports).",
    ),
    "leftovers": (
        "上次运行被强行终止，已清理遗留进程：{names}",
        "上次執行被強行終止，已清理遺留行程：{names}",
        "The last run was killed; stopped what it left behind: {names}",
    ),
    "port_taken": (
        "{transport} 端口 {number}（{purpose}）被占用。请停掉占用者，或用 {setting} 改用别的端口。",
        "{transport} 埠 {number}（{purpose}）被占用。請停掉占用者，或用 {setting} 改用別的埠。",
        "{transport} port {number} ({purpose}) is taken. Stop what uses it, or choose another with {setting}.",
    ),
    "no_redis": (
        "没有 Redis。请安装 redis-server，或用 HOTLINE_REDIS_URL 指定一个。",
        "沒有 Redis。請安裝 redis-server，或用 HOTLINE_REDIS_URL 指定一個。",
        "There is no Redis. Install redis-server, or name one with HOTLINE_REDIS_URL.",
    ),
    "no_asterisk": (
        "没有 Asterisk：电话打不进来，其余照常启动。安装 Asterisk 20 以上，或运行 `{command}`，"
        "或用 HOTLINE_ASTERISK=external 连接已有的。",
        "沒有 Asterisk：電話打不進來，其餘照常啟動。安裝 Asterisk 20 以上，或執行 `{command}`，"
        "或用 HOTLINE_ASTERISK=external 連接已有的。",
        "There is no Asterisk: no call can come in; the rest is started. Install Asterisk 20 or later, run `{command}`, "
        "or connect to one with HOTLINE_ASTERISK=external.",
    ),
    "no_voice": (
        "没有语音合成：只能播放录好的提示音（{detail}）",
        "沒有語音合成：只能播放錄好的提示音（{detail}）",
        "There is no voice: only recorded prompts can be heard ({detail})",
    ),
    "database": ("数据库：{detail}", "資料庫：{detail}", "Database: {detail}"),
    "bad_setting": ("设置有误：{detail}", "設定有誤：{detail}", "A setting is wrong: {detail}"),
    "failed": ("启动失败：{detail}", "啟動失敗：{detail}", "Could not start: {detail}"),
    "stopping": ("正在停止（{signal}）……", "正在停止（{signal}）……", "Stopping ({signal}) ..."),
    "stopped": ("已全部停止。", "已全部停止。", "Everything is stopped."),
    "ready": (
        "\n已就绪。\n"
        "{console}"
        "  接口说明  {url}/openapi.json\n"
        "  令牌      {token}\n"
        "  看队列    {hotline} line\n"
        "  打电话    任何软电话拨 sip:{number}@{sip}（本机无需注册）\n"
        "            没有电话？另开一个终端：{hotline} session create --demo，\n"
        "            然后 {hotline} dial --leader 当领导接听，{hotline} dial --wait 当市民拨打\n"
        "  停止      Ctrl-C\n",
        "\n已就緒。\n"
        "{console}"
        "  介面說明  {url}/openapi.json\n"
        "  令牌      {token}\n"
        "  看隊列    {hotline} line\n"
        "  打電話    任何軟電話撥 sip:{number}@{sip}（本機無需註冊）\n"
        "            沒有電話？另開一個終端：{hotline} session create --demo，\n"
        "            然後 {hotline} dial --leader 當領導接聽，{hotline} dial --wait 當市民撥打\n"
        "  停止      Ctrl-C\n",
        "\nReady.\n"
        "{console}"
        "  API        {url}/openapi.json\n"
        "  Token      {token}\n"
        "  The line   {hotline} line\n"
        "  Call       any softphone to sip:{number}@{sip} (no registration on this machine)\n"
        "             No phone? In another terminal: {hotline} session create --demo,\n"
        "             then {hotline} dial --leader answers as the leader, {hotline} dial --wait calls as a citizen\n"
        "  Stop       Ctrl-C\n",
    ),
    "console": (
        "  控制台    {url}/\n  登录链接  {link}（一次有效，{minutes} 分钟内；以后用 {hotline} account link）\n",
        "  控制台    {url}/\n  登入連結  {link}（一次有效，{minutes} 分鐘內；以後用 {hotline} account link）\n",
        "  Console    {url}/\n  Sign in    {link} (works once, {minutes} minutes; later: {hotline} account link)\n",
    ),
    "not_ready": (
        "已启动，但尚未就绪：{detail}。`{hotline} doctor` 会说明缺什么。",
        "已啟動，但尚未就緒：{detail}。`{hotline} doctor` 會說明缺什麼。",
        "Started, but not ready yet: {detail}. `{hotline} doctor` tells what is missing.",
    ),
    "part": ("部件", "部件", "part"),
    "state": ("状态", "狀態", "state"),
    "what": ("现状", "現狀", "what there is"),
    "todo": ("要做什么", "要做什麼", "what to do"),
    "all_there": ("需要的都有了。", "需要的都有了。", "Everything that is needed is there."),
    "something_missing": ("缺 {count} 项。", "缺 {count} 項。", "{count} missing."),
}

_COLUMN: Mapping[Language, int] = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}


def sentence(key: str, language: Language, **values: object) -> str:
    """The sentence `key` with `values` filled in. Raises KeyError for a key that is not in the catalogue."""
    return SENTENCES[key][_COLUMN[language]].format(hotline=called(), **values)
