import { Code, Modal, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../../api/client";
import { Go } from "../../../parts/Go";
import { When } from "../../../parts/When";

/** A job's payload, who holds it, and what went wrong. */
export function JobDetails({ job, onClose }: { job: Schemas["JobView"]; onClose: () => void }) {
  const { t } = useTranslation(["jobs", "common"]);
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("detailsTitle", { id: job.id })}
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
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
        {job.effect !== null && <Code block>{JSON.stringify(job.effect, null, 2)}</Code>}
        {job.error !== null && (
          <Code block className="text" color="red">
            {job.error}
          </Code>
        )}
      </Stack>
    </Modal>
  );
}
