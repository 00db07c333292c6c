/** The site in English. */
import { counted } from "../proof/numbers";
import type { Texts } from "./texts";

const times = (count: number) => counted(count, "en", { one: "time", other: "times" });

export const en: Texts = {
  languageName: "English",
  otherLanguage: "Русский",
  skip: "To the text",
  site: {
    title: "Kotodom GPT: Telegram bots that lose no message",
    description:
      "A self-hosted platform of Telegram bots answered by a language model. No message is lost, every step is kept and can be replayed, and it starts with one command.",
    picture: "Kotodom GPT, and its admin with a chat that a person has taken over",
  },
  nav: {
    label: "The site",
    documents: "Documents",
    signIn: "Sign in",
    sandbox: "Sandbox",
    api: "HTTP API",
  },
  footer: {
    license: "MIT license",
    source: "Source code",
    note: "This page sets no cookie, counts nobody, and asks no other host for anything.",
  },

  hero: {
    sentence: (
      <>
        A home on your own server for Telegram bots that a language model answers, where no message
        is lost.
      </>
    ),
    lead: (
      <>
        Make as many bots as you like. People write to them in Telegram; OpenAI answers, or any
        server that speaks its API. An update is in PostgreSQL before Telegram is told “received”,
        and each step of its answer is kept.
      </>
    ),
    where: <>In a clone of the repository, with Python 3.11 to 3.14 and make:</>,
    run: "sets everything up and runs it",
    test: "sets everything up and runs every test",
    sandbox: (
      <>
        No account anywhere: PostgreSQL and Valkey come along, and a sandbox stands in for Telegram
        and the model until you have keys.
      </>
    ),
  },
  shots: {
    title: "What it looks like",
    overview: {
      alt: "The overview: messages of today, how long answers took, four bots that are answering, and two messages that failed for the same reason, with a button that retries them.",
      caption: <>The overview: what came today, how each bot is, and what failed, by its cause.</>,
      open: "open the picture of the overview",
    },
    chat: {
      alt: "A chat: a person's question, the bot's answer, and the operator's own words in green. The bot is paused there.",
      caption: <>A chat as an inbox. Pause the bot, and answer yourself.</>,
      open: "open the picture of the chat",
    },
    message: {
      alt: "One message: it was not answered, why not, and the steps it took with their times; a button retries it, another downloads its recording.",
      caption: <>A message, why it failed, and the way it took. Press Retry.</>,
      open: "open the picture of the message",
    },
  },
  steps: {
    title: "Three steps to your first bot",
    steps: [
      {
        title: "Run it, and write to the bot that is there",
        text: (
          <>
            <code>make run</code> prints an address and a password. Open the sandbox and write: you
            play the Telegram user, press commands, switch faults on and watch it recover.
          </>
        ),
      },
      {
        title: "Give it a key for the model",
        text: (
          <>
            In <em>Settings</em>, or at the start: <code>OPENAI_API_KEY=sk-… make run</code>. From
            then on the real model answers. Another server that speaks OpenAI's API does as well.
          </>
        ),
      },
      {
        title: "Give it a token from @BotFather",
        text: (
          <>
            Press <em>Make a bot</em> and paste it. The bot polls Telegram, which works behind any
            firewall and without a domain. Write to it.
          </>
        ),
      },
    ],
    more: "Then go live",
  },

  proofs: {
    title: "What sets it apart, and the proof",
    lost: {
      title: "Nothing is lost",
      text: (
        <>
          <code>make chaos</code> floods the whole system with messages and breaks it meanwhile:
          every process, PostgreSQL, Valkey, the network to Telegram and to the model. Then it looks
          at what the stand-ins were asked and at what stands in PostgreSQL.
        </>
      ),
      about: (faults, seconds, chats) => (
        <>
          In {counted(seconds, "en", { one: "second", other: "seconds" })}, with{" "}
          {counted(chats, "en", { one: "person", other: "people" })} writing: {faults}.
        </>
      ),
      faults: {
        killed: (count) => `${times(count)} a part was killed`,
        ended: (count) => `${times(count)} one was told to end`,
        frozen: (count) => `${times(count)} a worker was frozen`,
        cutOff: (count) => `${times(count)} the network failed`,
      },
      measured: "What was counted",
      count: "Messages",
      rows: {
        messages: "written by people",
        answered: "answered",
        lost: "lost",
        out_of_order: "answered out of order",
        billed_twice: "paid for twice",
        left_waiting: "still waiting at the end",
        given_up: "given up, with a reason and an alert",
        parts_doubled: "a part of which came twice",
        asked_again: "for which the model was asked again",
      },
      waits: (longest) => (
        <>The longest that anybody waited for an answer, through all of that, was {longest}.</>
      ),
      note: (
        <>
          The last two rows are what Telegram and models do not offer: sending has no key against
          repetition, so a crash between Telegram's receipt and ours can double the part in flight;
          and a call that was open when a worker died, before it had an id, is made again. Each is
          marked in the message's timeline.
        </>
      ),
    },
    replay: {
      title: "Every answer can be replayed",
      text: (
        <>
          What happens is decided by pure functions that know no clock and no network, and each step
          is kept: the event, what was wished for, a digest of the state. So a strange answer of
          last night can be recorded, with names and texts replaced, and played again on your
          machine.
        </>
      ),
      note: (
        <>
          A recording that is dropped into a folder named <code>recordings</code> is a test by
          itself.
        </>
      ),
    },
    speed: {
      title: "Durable, and quicker than a bot that keeps nothing",
      slower: "Durable, and how quick it is beside a bot that keeps nothing",
      text: (chats, each, rounds) => (
        <>
          <code>make bench</code> sends the same flood, {each} messages from each of {chats} chats
          at once, to Kotodom GPT with its PostgreSQL and to an aiogram bot that keeps nothing at
          all. The model answers at once. Medians of {rounds} rounds.
        </>
      ),
      unequal: (
        <>
          They are no equals: Kotodom GPT runs as <code>kotodom run</code> has it, an api and a
          worker for each core beside PostgreSQL and Valkey; an aiogram bot is one process, which
          uses one core. So look at the CPU time as well: of all our processes and PostgreSQL
          together, against that of the one. Both aiogram bots ask the model through OpenAI's SDK:
          the first over httpx, its default; the second over aiohttp, which the SDK offers instead.
        </>
      ),
      contestant: "Bot",
      names: {
        kotodom: "Kotodom GPT",
        aiogram: "aiogram",
        aiogramAiohttp: "aiogram, with aiohttp under the SDK",
      },
      perSecond: "Messages answered a second",
      acknowledged: "99 % acknowledged within",
      cpu: "CPU time a message",
      replayed: "Updates replayed a second",
      quiet: (p50, p99, aiogram, aiogramAiohttp, count) => (
        <>
          When nothing else happens it adds {p50} to the model's own time (99 % of the messages: at
          most {p99}). The aiogram bots, which write nothing down, add {aiogram}, and with aiohttp
          under the SDK {aiogramAiohttp}. Measured with {count} messages one by one.
        </>
      ),
      none: "–",
    },
    machine: (command, date, machine) => (
      <>
        {command} on {date}: {machine}
      </>
    ),
    cores: (count, cpu) => `${count} cores of ${cpu}`,
    commit: (name, changed) => `commit ${name}${changed ? " and changes after it" : ""}`,
    table: "Table",
  },

  rivals: {
    title: "Beside others",
    text: (
      <>
        Each of these is good at what it was made for. As of November 2026, by what their own
        documentation says:
      </>
    ),
    best: "What it is",
    has: "Has, and we have not",
    ours: "Take Kotodom GPT when",
    rivals: [
      {
        name: "LangBot",
        url: "https://github.com/langbot-app/LangBot",
        best: <>A platform of bots and agents for many messengers.</>,
        has: (
          <>
            Discord, Slack, LINE, QQ, WeChat, Lark, DingTalk, Matrix and more; hundreds of plugins;
            knowledge bases, MCP; Dify, Coze, n8n; a hosted cloud.
          </>
        ),
        ours: <>Telegram is all you need, and each message must have its end, on record.</>,
      },
      {
        name: "AstrBot",
        url: "https://github.com/AstrBotDevs/AstrBot",
        best: <>Agents and companions in chat groups, extended by plugins.</>,
        has: (
          <>
            QQ, WeCom, Feishu, DingTalk, Slack, Discord, LINE; a large market of plugins; personas,
            knowledge bases, speech both ways, a sandbox for code and shell.
          </>
        ),
        ours: <>You run bots for other people, and have to say what became of each message.</>,
      },
      {
        name: "OpenClaw",
        url: "https://github.com/openclaw/openclaw",
        best: <>A personal assistant for one user, on one's own devices.</>,
        has: (
          <>
            WhatsApp, Signal, iMessage, Teams and many more; it acts with tools and skills, speaks
            and listens, draws on a canvas.
          </>
        ),
        ours: (
          <>Strangers write to the bot: it only answers, and can run nothing on your machine.</>
        ),
      },
      {
        name: "Chatwoot",
        url: "https://github.com/chatwoot/chatwoot",
        best: <>A support desk where a team answers customers.</>,
        has: (
          <>
            Live chat on your site, e-mail, WhatsApp, Instagram, SMS; assignment, canned responses,
            notes, a help center, satisfaction reports; an AI agent of its own.
          </>
        ),
        ours: <>The model answers, in many bots, and a person steps in now and then.</>,
      },
      {
        name: "A plain aiogram bot",
        url: "https://github.com/aiogram/aiogram",
        best: <>Whatever the Bot API can do, in Python of your own.</>,
        has: (
          <>
            Buttons, payments, inline mode, media, groups: all of the Bot API, and dialogues that
            you write yourself.
          </>
        ),
        ours: (
          <>
            You would else have to write the storage, the queue, the retries, the limits, the admin
            and the alerts.
          </>
        ),
      },
    ],
    lacks: (
      <>
        What Kotodom GPT has not: other messengers, plugins, tools and agents, knowledge bases,
        voice and pictures (of a picture it reads the caption).
      </>
    ),
  },
  questions: {
    title: "Questions and answers",
    questions: [
      {
        question: "Do I need an OpenAI account?",
        answer: (
          <>
            Not to try it: the sandbox has a model of its own, which only shows the way a message
            takes. For real answers any server will do that speaks OpenAI's Responses or Chat
            Completions API, and each bot may have another one.
          </>
        ),
      },
      {
        question: "Do I need a domain, or an open port?",
        answer: (
          <>
            No: bots poll Telegram. With <code>PUBLIC_URL</code> and a proxy for HTTPS new bots use
            webhooks.
          </>
        ),
      },
      {
        question: "What leaves my machine?",
        answer: (
          <>
            What people wrote goes to the model that you chose, and the answers go to Telegram.
            Everything else stays in your PostgreSQL. Tokens and keys are encrypted there.
          </>
        ),
      },
      {
        question: "What if Telegram, the model or PostgreSQL is away?",
        answer: (
          <>
            A failed try is repeated, by a schedule that knows what each error means. What cannot be
            answered says why, is told to you in Telegram once an hour for each cause, and can be
            retried by a press. While PostgreSQL is away Telegram is not told “received”, and sends
            again.
          </>
        ),
      },
      {
        question: "Can a person take over?",
        answer: (
          <>
            In each chat: pause the bot and write in its name. What users write meanwhile is kept,
            and the model knows of it later.
          </>
        ),
      },
      {
        question: "Where does it run?",
        answer: (
          <>
            On Linux (x86-64 or arm64, glibc) and macOS with Apple silicon, on one machine or on as
            many as you like against one PostgreSQL 18 and one Valkey or Redis.
          </>
        ),
      },
      {
        question: "What does it cost?",
        answer: (
          <>
            Nothing: the license is MIT. What the model costs is shown for each message and each
            bot.
          </>
        ),
      },
    ],
  },

  documents: {
    title: "Documents",
    description: "How to run Kotodom GPT: from the first start to several machines.",
    all: "All documents",
    onThisPage: "On this page",
    others: "Documents",
    search: "Search the documents",
    found: "Found",
    nothing: "Nothing was found.",
    failed: "The search could not be loaded. Try again.",
    previous: "Before",
    next: "Next",
  },
  code: { copy: "Copy", copied: "Copied" },
  notFound: {
    title: "There is nothing here",
    text: "The address may be mistyped, or the page has moved.",
    home: "To the first page",
  },
};
