/** Write in the bot's name. Enter sends; what is not sent yet is kept while one looks elsewhere. */
import { Box, Button, Group, Text, Textarea } from "@mantine/core";
import { SendHorizontal } from "lucide-react";
import type { KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { Problem } from "../../../api/problem";
import { useFigures } from "../../../parts/figures";
import { Refused } from "../../../parts/Trouble";
import classes from "./-chats.module.css";
import { useDraft } from "./-drafts";
import type { Message } from "./-history";
import type { Chat } from "./-steady";
import { useWrite } from "./-waiting";

/** Of a Telegram message, in UTF-16 units as Telegram counts; a longer text goes out in parts. */
const MESSAGE = 4_096;
/** Of what the API takes, in characters. */
const LONGEST = 16_384;

export function Composer({ chat, messages }: { chat: Chat; messages: readonly Message[] }) {
  const { t } = useTranslation("chats");
  const { count } = useFigures();
  const draft = useDraft(chat.id);
  const { text } = draft;
  const write = useWrite(chat.id, messages, draft.sent);
  const problem = Problem.in(write.error);
  const isTooLong = text.length > LONGEST && [...text].length > LONGEST;
  const change = (value: string): void => {
    draft.change(value);
    if (problem) write.reset();
  };
  const send = (): void => {
    if (text.trim() === "" || isTooLong || write.isPending) return;
    write.send(text);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === "Escape") event.currentTarget.blur();
    // An Enter that ends the choice of a character (Chinese, Japanese) sends nothing.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className={classes.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {problem && !problem.fields.text && <Refused problem={problem} />}
      <Group gap="xs" align="flex-start" wrap="nowrap">
        <Textarea
          flex={1}
          aria-label={t("write")}
          placeholder={t("write")}
          aria-describedby="composer-hint"
          value={text}
          onChange={({ currentTarget: { value } }) => change(value)}
          onKeyDown={onKeyDown}
          readOnly={write.isPending}
          error={isTooLong ? t("tooLong", { most: count(LONGEST) }) : problem?.fields.text}
          autosize
          minRows={2}
          maxRows={8}
          dir="auto"
        />
        <Button
          type="submit"
          loading={write.isPending}
          disabled={text.trim() === "" || isTooLong}
          aria-label={t("send")}
        >
          <SendHorizontal size={16} aria-hidden />
          <Box component="span" ml="xs" visibleFrom="sm">
            {t("send")}
          </Box>
        </Button>
      </Group>
      <Group gap="xs" justify="space-between" wrap="nowrap" align="flex-start">
        <Text size="xs" c="dimmed" id="composer-hint">
          {t("sendHint")}
        </Text>
        <Text size="xs" c="dimmed" className={classes.time ?? ""}>
          {text.length > MESSAGE && `${t("inParts")} `}
          {count(text.length)} / {count(MESSAGE)}
        </Text>
      </Group>
    </form>
  );
}
