import { Code, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../../api/client";
import { Dialog } from "../../../parts/Dialog";
import { Go } from "../../../parts/Go";
import { When } from "../../../parts/When";

type Job = Schemas["JobView"];

/** A job's payload, who holds it, and what went wrong. */
export function JobDetails({ job, onClose }: { job: Job | null; onClose: () => void }) {
  const { t } = useTranslation("jobs");
  return (
    <Dialog of={job} onClose={onClose} size="lg" title={({ id }) => t("detailsTitle", { id })}>
      {(job) => <Details job={job} />}
    </Dialog>
  );
}

function Details({ job }: { job: Job }) {
  const { t } = useTranslation("jobs");
  return (
    <Stack>
      {job.chatId !== null && (
        <Text size="sm">
          {t("chat")}{" "}
          <Go to="/chats/$chatId" params={{ chatId: job.chatId }}>
            {job.chatId}
          </Go>
        </Text>
      )}
      {job.worker !== null && (
        <Text size="sm">
          {t("worker")} <Code>{job.worker}</Code>
          {job.heartbeatAt !== null && (
            <>
              , {t("heartbeat")} <When at={job.heartbeatAt} />
            </>
          )}
        </Text>
      )}
      {job.error !== null && (
        <Code block className="text" color="red">
          {job.error}
        </Code>
      )}
      {job.payload !== "" && (
        <details>
          <summary>{t("payload")}</summary>
          <Code block className="text">
            {readable(job.payload)}
          </Code>
        </details>
      )}
    </Stack>
  );
}

/** JSON as people read it; what is none, as of a payload that was cut, stays as it is. */
function readable(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}
