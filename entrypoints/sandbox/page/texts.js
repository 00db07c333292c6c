// The page's own words, Russian or English by the browser's language.

const ENGLISH = {
  title: "Sandbox", subtitle: "No keys needed",
  skip: "Skip to the message field", close: "Close", openSettings: "Settings", openLog: "Bot API calls",
  who: "Who talks to whom", bot: "Bot", you: "You are", chat: "Chat", name: "Name", language: "Language",
  add: "Add", newPerson: "New person…", privateChat: "Private chat", faults: "What goes wrong",
  note: "Nothing here leaves this computer, unless a bot has a real key.",
  messages: "Messages", commands: "Commands", message: "Message", send: "Send", attach: "Send something else",
  photo: "Photo", sticker: "Sticker", voice: "Voice message", document: "File", location: "Location",
  edit: "Edit", edited: "edited", editing: "Editing your message", cancel: "Cancel", typing: "typing…",
  byWebhook: "bot · by webhook", byPolling: "bot · by polling", waiting: (n) => `${n} waiting`,
  log: "Bot API calls", logHint: "Each call is checked against Bot API 10.3", noCalls: "No calls yet.",
  clean: "Every call follows the documentation", broken: (n) => `Calls that break the documentation: ${n}`,
  hidden: "hidden text, press to show",
  noBotTitle: "No bot yet", noBot: "A bot appears here as soon as it makes its first Bot API call to the sandbox.",
  emptyTitle: "Say hello", empty: "Write as a Telegram user would. The bot's answer comes the whole way: Bot API, queue, model and back.",
  offline: "The sandbox does not answer. Trying again…",
  fault429: "Telegram: too many requests", fault429Hint: "429, try again in 3 seconds",
  fault500: "Model: server error", fault500Hint: "500 for every request",
  faultSlow: "Slow model", faultSlowHint: "8 seconds to the first word",
  faultLost: "Telegram: connection lost", faultLostHint: "after the message was taken: it may come twice",
  faultBlocked: "You blocked the bot", faultBlockedHint: "403 in this private chat",
};

const RUSSIAN = {
  title: "Песочница", subtitle: "Ключи не нужны",
  skip: "К полю сообщения", close: "Закрыть", openSettings: "Настройки", openLog: "Вызовы Bot API",
  who: "Кто с кем говорит", bot: "Бот", you: "Вы", chat: "Чат", name: "Имя", language: "Язык",
  add: "Добавить", newPerson: "Новый человек…", privateChat: "Личный чат", faults: "Что идёт не так",
  note: "Отсюда ничего не уходит в сеть, если у бота нет настоящего ключа.",
  messages: "Сообщения", commands: "Команды", message: "Сообщение", send: "Отправить", attach: "Отправить другое",
  photo: "Фото", sticker: "Стикер", voice: "Голосовое", document: "Файл", location: "Место",
  edit: "Изменить", edited: "изменено", editing: "Правка сообщения", cancel: "Отмена", typing: "печатает…",
  byWebhook: "бот · через webhook", byPolling: "бот · через опрос", waiting: (n) => `ждут: ${n}`,
  log: "Вызовы Bot API", logHint: "Каждый сверен с Bot API 10.3", noCalls: "Вызовов пока нет.",
  clean: "Все вызовы по документации", broken: (n) => `Вызовов не по документации: ${n}`,
  hidden: "скрытый текст, нажмите, чтобы показать",
  noBotTitle: "Ботов пока нет", noBot: "Бот появится здесь, как только впервые обратится к Bot API песочницы.",
  emptyTitle: "Поздоровайтесь", empty: "Пишите, как пишет человек в Telegram. Ответ проходит весь путь: Bot API, очередь, модель и обратно.",
  offline: "Песочница не отвечает. Пробуем ещё…",
  fault429: "Telegram: слишком часто", fault429Hint: "429, повторить через 3 секунды",
  fault500: "Модель: ошибка сервера", fault500Hint: "500 на каждый запрос",
  faultSlow: "Медленная модель", faultSlowHint: "8 секунд до первого слова",
  faultLost: "Telegram: обрыв связи", faultLostHint: "уже после приёма: сообщение может прийти дважды",
  faultBlocked: "Вы заблокировали бота", faultBlockedHint: "403 в этом личном чате",
};

export const language = navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en";
export const texts = language === "ru" ? RUSSIAN : ENGLISH;

/** Puts the words into the page: data-t is text, data-t-label a name, data-t-placeholder a hint. */
export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) {
    element.textContent = texts[element.dataset.t];
  }
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", texts[element.dataset.tLabel]);
    element.title = element.matches("button, summary") ? texts[element.dataset.tLabel] : "";
  }
  for (const element of document.querySelectorAll("[data-t-placeholder]")) {
    element.placeholder = texts[element.dataset.tPlaceholder];
  }
}
