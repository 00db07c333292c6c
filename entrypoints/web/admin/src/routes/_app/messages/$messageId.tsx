/** One message: what was asked and answered, what it cost, and every step on the way. */
import { Alert, Badge, Button, Group, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Download, RotateCcw } from "lucide-react";
import { useTranslation } from "react-i18next";

import { $api, api, type Schemas } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { useFigures } from "../../../parts/figures";
import { Go } from "../../../parts/Go";
import { Rows } from "../../../parts/more";
import { Page } from "../../../parts/Page";
import { useRetry } from "../../../parts/retries";
import { StatusBadge } from "../../../parts/StatusBadge";
import { NotFound, Refused } from "../../../parts/Trouble";
import { When } from "../../../parts/When";
import { Words } from "../../../parts/Words";
import { why } from "../../../parts/why";
import { Timeline } from "./-Timeline";

export const Route = createFileRoute("/_app/messages/$messageId")({ component: Message });

function Message() {
  const { t } = useTranslation("messages");
  const messageId = Number(Route.useParams().messageId);
  const query = $api.useQuery(
    "get",
    "/api/processing/{processing_id}",
    { params: { path: { processing_id: messageId } } },
    { enabled: Number.isSafeInteger(messageId) },
  );
  const problem = Problem.in(query.error);
  if (!Number.isSafeInteger(messageId) || problem?.status === 404) return <NotFound />;
  const title = t("one", { id: messageId });
  if (query.data) return <Shown message={query.data} title={title} />;
  return (
    <Page title={title}>
      {query.isPending ? <Rows /> : <Refused problem={problem} again={query.refetch} />}
    </Page>
  );
}

function Shown({ message, title }: { message: Schemas["ProcessingDetail"]; title: string }) {
  const { t } = useTranslation(["messages", "common"]);
  const retry = useRetry();
  // By a link nobody would hear of a refusal.
  const record = useMutation({ mutationFn: () => download(message.id) });
  const failed = message.status === "FAILED" || message.status === "TERMINAL";
  const isOver = message.status === "COMPLETED" || message.status === "TERMINAL";
  return (
    <Page
      title={title}
      actions={
        <>
          <Button
            variant="default"
            leftSection={<Download size={16} aria-hidden />}
            loading={record.isPending}
            onClick={() => record.mutate()}
          >
            {t("recording")}
          </Button>
          {failed && (
            <Button
              leftSection={<RotateCcw size={16} aria-hidden />}
              loading={retry.isPending}
              onClick={() => retry.mutate([message])}
            >
              {t("common:retry")}
            </Button>
          )}
        </>
      }
    >
      <Refused problem={Problem.in(record.error)} />
      <Facts message={message} />
      {why(message) && failed && (
        <Alert color={message.status === "TERMINAL" ? "red" : "yellow"} title={t("error")}>
          <Text size="sm" className="text">
            {why(message)}
          </Text>
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Said title={t("asked")} text={message.text} markdown={false} nothing={t("noText")} />
        <Said
          title={t(message.responseSentAt === null ? "answered" : "sent")}
          text={message.responseText ?? ""}
          nothing={t(isOver ? "noAnswer" : "noAnswerYet")}
          markdown={message.responseMarkdown}
        />
      </SimpleGrid>
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t("timeline")}
        </Title>
        {message.timeline.length === 0 ? (
          <Text c="dimmed">{t("noTimeline")}</Text>
        ) : (
          <Timeline steps={message.timeline} />
        )}
      </Stack>
    </Page>
  );
}

async function download(id: number): Promise<void> {
  const { data } = await api.GET("/api/processing/{processing_id}/recording", {
    params: { path: { processing_id: id } },
    parseAs: "blob",
  });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(data as Blob);
  link.download = `recording-${id}.jsonl`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function Facts({ message }: { message: Schemas["ProcessingDetail"] }) {
  const { t } = useTranslation(["messages", "common"]);
  const figures = useFigures();
  const tokens = message.inputTokens !== null && message.outputTokens !== null;
  return (
    <Group gap="md">
      <StatusBadge status={message.status} />
      <Text size="sm">
        {t("came")} <When at={message.createdAt} />
      </Text>
      <Go to="/chats/$chatId" params={{ chatId: message.chatId }} size="sm">
        {t("toChat")}
      </Go>
      {message.model !== null && (
        <Badge variant="default" tt="none">
          {message.model}
        </Badge>
      )}
      {tokens && (
        <Text size="sm">
          {t("tokens", {
            input: figures.count(message.inputTokens ?? 0),
            output: figures.count(message.outputTokens ?? 0),
          })}
        </Text>
      )}
      {message.price !== null && <Text size="sm">{figures.dollars(message.price)}</Text>}
    </Group>
  );
}

type Told = { title: string; text: string; markdown: boolean; nothing: string };

function Said({ title, nothing, ...words }: Told) {
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h5" mb="xs">
        {title}
      </Title>
      {words.text ? <Words {...words} /> : <Text c="dimmed">{nothing}</Text>}
    </Paper>
  );
}
