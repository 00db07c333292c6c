"""What the journal's steps say alike, for adapters/journal_compression.py.

A dictionary that is out never changes, for rows were packed with it: a test holds it to its digest.
Better words, for new tags perhaps, are one more dictionary.
"""

# States, events and lists of effects, as their columns hold them. Rare things come first: what is
# nearer to the end costs fewer bits. Keys stand in the order in which they are written; where a
# value varies there is a likely one, or none. Lines are joined.
FIRST = r"""
{"type":"bot","id":1,"name":"Bot","mode":"POLLING","mode":"WEBHOOK","enabled":true,
"is_active":true,"error":"Telegram 401: Unauthorized"}{"type":"bot.edited","mode":"POLLING"
,"reconnect":true}{"type":"bot.webhookRemovalAsked"}{"type":"bot.webhookAsked"}
{"type":"telegram.webhookFailed","failure":{"type":"fatal","reason":"OpenAI 401:
 invalid_api_key","token_dead":true},"attempt":1,"jitter":0.5,"removing":true,"asked":true}
{"type":"telegram.webhookRemoved","polling":true}
[{"type":"telegram.removeWebhook","bot_id":1,"polling":true}]
{"type":"bot.recovered"}{"type":"bot.disableAsked"}
{"type":"bot.enableAsked"}[{"type":"telegram.ensureWebhook","bot_id":1},
{"type":"jobs.publishWaiting","bot_id":1}]{"type":"telegram.webhookEnsured"}
{"type":"bot.failed","reason":"{"type":"chat.paused"}{"type":"chat.resumed"}
,"paused":true,"told":["bot disabled"]{"type":"job.deleted","turn":{"id":1,"epoch":1}}
{"type":"chat.refreshAsked","turn":{"id":1,"epoch":1},"bot":{"id":1,"name":"
[{"type":"openai.resetThread","bot_id":1,"thread_id":"conv_
{"type":"chat.operatorWrote","turn":{"id":1,"epoch":1},"text":"","parts":[{"text":"
{"type":"turn.broke","turn":{"id":1,"epoch":1},"error":"KeyError: '","jitter":0.,
"traceback":"Traceback (most recent call last):\n  File \"/application/turns.py\", line 1, in _step
\n    ^^^^^\nKeyError: "}
{"type":"processing.retryAsked","turn":{"id":1,"epoch":1},"bot":{"id":1,"name":"
[{"type":"bot.reportRecovery","bot_id":1},{"type":"bot.reportFailure","bot_id":1,
"reason":"OpenAI 404: model_not_found"},{"type":"notification.adminAlert","bot_id":1,
"cause":"gave up: OpenAI #: ","text":": message 1 was not answered. gave up:
{"type":"telegram.messageFailed","turn":{"id":1,"epoch":1},"part":0,"failure":
{"type":"chatMigrated","chat_id":-100},{"type":"entitiesRefused","reason":"Telegram 400:
 Bad Request: can't parse entities: "},{"type":"terminal","reason":"Telegram 403: Forbidden: bot was
 blocked by the user","chat_gone":true},{"type":"ambiguous","reason":"Telegram: the connection was
 lost (ClientOSError)"},"jitter":0.
{"type":"openai.replyFailed","turn":{"id":1,"epoch":1},"failure":{"type":"threadLost",
"reason":"OpenAI 404: Conversation with id 'conv_{"type":"runLost",{"type":"contextTooLong","reason"
:"OpenAI 400: context_length_exceeded"},{"type":"terminal","reason":"the model refused: "},
{"type":"retryable","reason":"Telegram 429: Too Many Requests: retry after ","after":1.0},
"OpenAI: no answer in ","OpenAI 503: overloaded","OpenAI 429: rate_limit_exceeded","OpenAI 500:
 The server had an error while processing your request","run_ended":true},"jitter":0.
{"type":"turn.resumed","turn":{"id":1,"epoch":1},"died":true}
[{"type":"openai.resumeReply","turn":{"id":1,"epoch":1},"bot_id":1,"run_id":"resp_
[{"type":"jobs.publish","job":"bot.handle_update","key":"1:1","delay":1.
"is_bot":true,"is_direct_messages":true,"kind":"edited_message","enabled":false,"failing":true,
"start_message":"","help_text":"","error_message":"","unsupported":"document","unsupported":
"sticker","unsupported":"voice","caption":"","unsupported":"photo"}},
"chat":{"id":-100,"type":"group","type":"supergroup","title":"
"message_thread_id":1,"is_topic_message":true,"topic_id":1,"context_from":1,
"text":"/start"}},"text":"/help"}},"text":"/refresh"}},
"entities":[{"type":"text_link","offset":1,"length":1,"url":"https://www."},{"type":"pre","offset":1
,"length":1,"language":"python"},{"type":"blockquote",{"type":"underline",{"type":"strikethrough",
{"type":"italic","offset":1,"length":1},{"type":"code","offset":1,"length":1},
{"type":"bold","offset":0,"length":1},{"type":"bold","offset":1,
"output_tokens":1,"latency":1.,"run_id":"resp_","incomplete":true}}
[{"type":"telegram.sendMessage","turn":{"id":1,"epoch":1},"bot_id":1,"chat_id":1,
"part":2,"text":"
{"type":"telegram.messageSent","turn":{"id":1,"epoch":1},"part":1,"message_id":1}
{"type":"chat","id":"1:1","chat_id":1,"thread_id":"conv_1","thread_upto":1,"epoch":1}
{"type":"telegram.messageSent","turn":{"id":1,"epoch":1},"part":0,"message_id":1}
{"type":"openai.replyStarted","turn":{"id":1,"epoch":1},"thread_id":"conv_"}
{"type":"openai.replyStarted","turn":{"id":1,"epoch":1},"run_id":"resp_"}
{"type":"openai.replyGenerated","turn":{"id":1,"epoch":1},"reply":{"text":"","parts":[
{"text":""}],"model":"gpt-5.4-mini","input_tokens":1,"output_tokens":1,"price":"0.000","latency":1.,
"thread_id":"conv_"}}
[{"type":"telegram.sendChatAction","turn":{"id":1,"epoch":1},"bot_id":1,"chat_id":1},
{"type":"openai.generateReply","turn":{"id":1,"epoch":1},"bot_id":1,"chat":"1:1","thread_id":
"conv_1","thread_upto":1}]
[{"type":"telegram.sendMessage","turn":{"id":1,"epoch":1},"bot_id":1,"chat_id":1,"part":0,
"text":""}]
{"type":"telegram.updateReceived","turn":{"id":1,"epoch":1},"update":{"update_id":1,
"message":{"message_id":1,"chat":{"id":1,"type":"private","username":"","first_name":"",
"last_name":""},"date":18,
"from":{"id":1,"first_name":"","last_name":"","username":"","language_code":"en","language_code":
"ru"},"text":""}},"bot":{"id":1,"name":"","username":"_bot"}}
""".replace("\n", "").encode()
