"""English. At most one value in a sentence; where a count changes it, the sentence for one and that for more."""

SENTENCES: dict[str, str | tuple[str, str]] = {
    # the question
    "greeting": "Hello, this is the 1 2 3 4 5 government hotline of {city}.",
    "answering_unit": "Today your calls are answered by {unit},",
    "answering_leader": "in person by its head, {leader}.",
    "line_free": "You can be put through now.",
    "line_ended": "We are sorry: so many are waiting that nobody new can be put through today.",
    "nobody_waits": "Nobody is waiting.",
    "waiting_now": ("One caller is waiting.", "{count} callers are waiting."),
    "chance": "Your chance of being put through is about {tenths} percent.",
    "chance_small": "Your chance of being put through today is small.",
    "choose_line": "To wait, press 1. To leave your matter as a work order instead, press 2.",
    "choose_free": "To be put through now, press 1. To leave your matter as a work order, press 2.",
    "choose_discouraged": "We advise you to press 2 and leave a work order, settled in three working days. "
    "To wait all the same, press 1.",
    "choose_ended": "To leave a work order, settled in three working days, press 2. To be called back, press 3.",
    "not_understood": "Sorry, we did not get your choice.",
    # waiting
    "waiting_joined": "Thank you. You are in the line, please stay on the phone.",
    "waiting_free": "Thank you. We are putting you through.",
    "waiting_leader_missed": "Sorry, the leader's phone was not answered. Your place is kept.",
    "next_is_you": "You are next.",
    "ahead": ("There is one caller ahead of you.", "There are {count} callers ahead of you."),
    "wait": ("The wait is about one minute.", "The wait is about {minutes} minutes."),
    "can_serve": ("About one more caller can be answered today.", "About {count} more callers can be answered today."),
    "choose_waiting": "To stop waiting, press 2 to leave a work order, or 3 to be called back.",
    # put through
    "connecting": "We are putting you through.",
    "connecting_recorded": "We are putting you through. The talk is recorded.",
    "whisper_waited": ("Waited one minute.", "Waited {minutes} minutes."),
    "whisper_new": "Has just called.",
    "whisper_behind": ("One more is waiting.", "{count} more are waiting."),
    "whisper_confirm": "Press 1 to take the call.",
    # the message
    "message_declined": "Thank you. Your matter becomes a work order of this session.",
    "message_silence": "We did not hear a choice. You can leave your matter as a work order of this session.",
    "message_session_closed": "We are sorry, the session is over. Your matter will be handled all the same.",
    "message_leader_left": "We are sorry, the leader has left. Your matter will be handled all the same.",
    "message_seat_closed": "We are sorry, this seat is closed. Your matter will be handled all the same.",
    "message_no_operator": "We are sorry, no operator can be reached now. Please leave your matter.",
    "message_operators_busy": "We are sorry, all operators are busy. Please leave your matter.",
    "message_closed": "Thank you. Please leave your matter.",
    "message_released": "We are sorry, you cannot wait any longer. Your matter will be handled all the same.",
    "message_what": "After the tone, please say your name, the place and what it is about.",
    "message_how": (
        "You have one minute. Press the hash key when you are done.",
        "You have {minutes} minutes. Press the hash key when you are done.",
    ),
    "message_again": "Sorry, we heard nothing. Please speak after the tone and press the hash key when you are done.",
    "contact_ask": "We cannot see your number. Please key in where we can reach you, then press hash. "
    "If you do not want to, just wait.",
    "contact_again": "That number seems too short. Please key it in once more, then press hash.",
    # the work order
    "order_wait": "Your matter is recorded. One moment for the number of your work order.",
    "order_number": "The number of your work order is",
    "order_number_again": "Once more:",
    "order_promise": "The unit must answer within three working days. After that we phone you.",
    "order_repeat": "To hear the number again, press 1. Else you can hang up.",
    # called back
    "callback_promise": "Thank you. We will call you back. The last digits of your number are",
    "callback_no_number": "Thank you, that is noted. But we do not have your number: please call again.",
    # no session
    "closed_now": "No leader is answering calls now.",
    "next_session": "The next session is on",
    "next_unit": "answered by {unit},",
    "next_unknown": "The next session will be announced beforehand.",
    "date": "{date},",
    "weekday": "{weekday},",
    "clock": "at {clock},",
    "choose_closed": "To leave your matter as a work order, press 2.",
    "choose_closed_operators": "For an operator, press 0. To leave your matter as a work order, press 2.",
    # operators, fallback
    "operator_connecting": "We are connecting you to an operator.",
    "operator_error": "We are sorry, something failed on our side. We are connecting you to an operator.",
    "fallback_sorry": "We are sorry, something failed on our side and you cannot be put through.",
    # the end
    "goodbye_talked": "Thank you for taking part. Your matter will be followed to its end.",
    "goodbye_order_recorded": "Your matter is recorded. We will phone you.",
    "goodbye_error": "We are sorry, something failed on our side. Your matter is recorded and we will phone you.",
    "goodbye": "Goodbye.",
    "digit": "{digit}",
}
