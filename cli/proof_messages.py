"""What the commands about forecast, ledger, report and rehearsal say, by language: Chinese first."""

from collections.abc import Mapping

#: key -> (zh-Hans, zh-Hant, en)
SENTENCES: Mapping[str, tuple[str, str, str]] = {
    "col_rang": ("振铃（秒）", "振鈴（秒）", "rang (s)"),
    "col_recorded": ("录音（秒）", "錄音（秒）", "recorded (s)"),
    "test_answered": ("正常", "正常", "works"),
    "test_silent": ("接听了，但录音没有声音", "接聽了，但錄音沒有聲音", "answered, but the recording is silent"),
    "test_no_answer": ("无人接听", "無人接聽", "no answer"),
    "test_unreachable": ("打不通", "打不通", "cannot be reached"),
    "test_unchecked": ("未试呼（云电话线路）", "未試呼（雲電話線路）", "not tried (a line of the cloud phone)"),
    "test_no_bridge": ("电话交换机未连接", "電話交換機未連接", "no bridge drives the exchange"),
    "col_told": ("告知的机会", "告知的機會", "told"),
    "col_callers": ("人数", "人數", "callers"),
    "col_said": ("平均告知", "平均告知", "mean told"),
    "col_served": ("实际接通", "實際接通", "put through"),
    "col_stayed": ("坚持等到底", "堅持等到底", "stayed"),
    "col_stayed_served": ("其中接通", "其中接通", "of these put through"),
    "calibrated": (
        "模拟 {sessions} 场，种子 {seed}；“实际接通”指假如一直等下去；“坚持等到底”者的比例不同，因为等不到的人多半先挂断。",
        "模擬 {sessions} 場，種子 {seed}；「實際接通」指假如一直等下去；「堅持等到底」者的比例不同，因為等不到的人多半先掛斷。",
        "{sessions} simulated sessions, seed {seed}; put through = had they stayed. Of those who did stay it is another "
        "part: who would have waited in vain gives up more often.",
    ),
    "calibrated_rehearsed": (
        "演练 {rehearsals} 场，每场 {callers} 个来电，种子从 {seed} 起；告知的机会为排队时所说。",
        "演練 {rehearsals} 場，每場 {callers} 個來電，種子從 {seed} 起；告知的機會為排隊時所說。",
        "{rehearsals} rehearsals of {callers} calls, seeds from {seed}; told = when they joined the line.",
    ),
    "checked_whole": (
        "台账完整：{calls} 个来电，每个恰有一个结果；封存 {seals} 次，核对无改动；话单 {records} 条，云端 {cloud} 条。",
        "臺賬完整：{calls} 個來電，每個恰有一個結果；封存 {seals} 次，核對無改動；話單 {records} 條，雲端 {cloud} 條。",
        "The ledger is whole. Calls, each with one outcome: {calls}; seals that hold: {seals}; from Asterisk's records: {records}, "
        "from the cloud's: {cloud}.",
    ),
    "checked_broken": (
        "台账有问题：无结果 {unaccounted}，答应回电而未办 {forgotten}，应有工单而没有 {without_order}，"
        "搁置未办 {stuck}，话单缺 {missing}，封存不符 {broken}。",
        "臺賬有問題：無結果 {unaccounted}，答應回電而未辦 {forgotten}，應有工單而沒有 {without_order}，"
        "擱置未辦 {stuck}，話單缺 {missing}，封存不符 {broken}。",
        "The ledger is NOT whole: {unaccounted} without outcome, {forgotten} promised a call and forgotten, "
        "{without_order} owed a work order and without one, {stuck} with something set aside undone, "
        "{missing} missing from it, {broken} seals broken.",
    ),
    "checked_live": ("仍在通话：{live}", "仍在通話：{live}", "Still going on: {live}"),
    "checked_away": (
        "尚未核对完：有一方的话单现在读不到，请稍后再试",
        "尚未核對完：有一方的話單現在讀不到，請稍後再試",
        "Nothing proven yet: call records cannot be read now, try again later",
    ),
    "checked_off": (
        "未核对：{sources}",
        "未核對：{sources}",
        "Not compared: {sources}",
    ),
    "records_asterisk": ("Asterisk 话单", "Asterisk 話單", "Asterisk's records"),
    "records_cloud": ("云电话", "雲電話", "cloud phone"),
    "records_off": ("未启用", "未啟用", "not in use"),
    "records_away": ("现在读不到", "現在讀不到", "cannot be read now"),
    "col_stuck": ("搁置", "擱置", "set aside"),
    "col_seal": ("封存", "封存", "seal"),
    "col_fault": ("问题", "問題", "fault"),
    "rehearsed": (
        "演练通过：{calls} 个来电，用时 {seconds:.1f} 秒（虚拟 {hours:.1f} 小时）。",
        "演練通過：{calls} 個來電，用時 {seconds:.1f} 秒（虛擬 {hours:.1f} 小時）。",
        "The rehearsal holds: {calls} calls in {seconds:.1f} s ({hours:.1f} hours of virtual time).",
    ),
    "rehearsal_broken": (
        "演练发现问题 {count} 处：",
        "演練發現問題 {count} 處：",
        "The rehearsal found {count} faults:",
    ),
    "rehearsed_many": (
        "{sessions} 场演练：来电 {calls}，无下落 {unaccounted}，重复工单 {doubled}，违例 {faults}；注入故障 {injected}。",
        "{sessions} 場演練：來電 {calls}，無下落 {unaccounted}，重複工單 {doubled}，違例 {faults}；注入故障 {injected}。",
        "{sessions} sessions: {calls} calls, {unaccounted} unaccounted, {doubled} doubled orders, {faults} violations; "
        "{injected} faults were injected.",
    ),
}
