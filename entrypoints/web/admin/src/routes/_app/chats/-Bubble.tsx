/** One message: who, what, when, and what became of it. */
import { Badge, Group, Paper, Text } from "@mantine/core";
import { memo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { Go } from "../../../parts/Go";
import { StatusBadge } from "../../../parts/StatusBadge";
import { Words } from "../../../parts/Words";
import classes from "./-chats.module.css";
import type { Message } from "./-history";
import { Clock } from "./-moments";
import type { Sent } from "./-waiting";

type Shown = { message: Message; isFresh: boolean; name: string };

export const Bubble = memo(function Bubble({ message, isFresh, name }: Shown) {
  const { t } = useTranslation("chats");
  const { sender, text, markdown, createdAt, processing } = message;
  return (
    <Frame sender={sender} name={name} text={text} markdown={markdown} at={createdAt}>
      {processing && (
        <>
          {isFresh || processing.status === "COMPLETED" ? (
            <State sender={sender} status={processing.status} />
          ) : (
            <StateOfOld sender={sender} processing={processing} />
          )}
          <Go
            to="/messages/$messageId"
            params={{ messageId: String(processing.id) }}
            size="xs"
            c="dimmed"
            underline="always"
          >
            {t("timeline")}
          </Go>
        </>
      )}
    </Frame>
  );
});

/** Accepted, and waiting for what stands before it in the chat's line. */
export function BeingSent({ sent }: { sent: Sent }) {
  const { t } = useTranslation("chats");
  return (
    <Frame sender="OPERATOR" name="" text={sent.text} at={sent.createdAt}>
      <Badge variant="light" color="blue" tt="none">
        {t("sent.PROCESSING")}
      </Badge>
    </Frame>
  );
}

type Framed = {
  sender: Message["sender"];
  name: string;
  text: string;
  markdown?: boolean;
  at: string;
  children?: ReactNode;
};

function Frame({ sender, name, text, markdown = false, at, children }: Framed) {
  const { t } = useTranslation("chats");
  return (
    <div className={classes.line} data-sender={sender}>
      <Paper className={classes.bubble ?? ""} px="sm" py={6}>
        <Text size="xs" fw={600} c="dimmed" component="div" truncate>
          {sender === "USER" ? <bdi>{name}</bdi> : t(`sender.${sender}`)}
        </Text>
        <Words text={text} markdown={markdown} size="sm" />
        <Group gap="2px 8px" mt={2} justify="flex-end">
          {children}
          <Text size="xs" c="dimmed" component="span">
            <Clock at={at} />
          </Text>
        </Group>
      </Paper>
    </div>
  );
}

type Status = Schemas["Status"];

function State({ sender, status }: { sender: Message["sender"]; status: Status }) {
  const { t } = useTranslation("chats");
  if (status === "COMPLETED") return null;
  if (sender === "USER") return <StatusBadge status={status} />;
  return (
    <Badge variant="light" color={status === "TERMINAL" ? "red" : "blue"} tt="none">
      {t(`sent.${status}`)}
    </Badge>
  );
}

/** Its page is not asked for again, so it asks for itself: it may be retried, and answered yet. */
function StateOfOld({
  sender,
  processing,
}: {
  sender: Message["sender"];
  processing: Schemas["ProcessingRef"];
}) {
  const params = { path: { processing_id: processing.id } };
  const { data } = $api.useQuery("get", "/api/processing/{processing_id}", { params });
  return <State sender={sender} status={data?.status ?? processing.status} />;
}
