/** Jobs: what waits, what runs, what is held, and how fast the queue moves. */
import { Chip, Group } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useId } from "react";
import { useTranslation } from "react-i18next";

import { Page } from "../../../parts/Page";
import { JobList } from "./-JobList";
import { JobStats } from "./-JobStats";
import { isJobStatus, type JobStatus, STATUSES } from "./-statuses";

export const Route = createFileRoute("/_app/jobs/")({
  validateSearch: ({ status }): { status?: JobStatus } => (isJobStatus(status) ? { status } : {}),
  component: Jobs,
});

const ALL = "all";

function Jobs() {
  const { t } = useTranslation(["jobs", "common"]);
  const { status } = Route.useSearch();
  const navigate = Route.useNavigate();
  const group = useId();
  return (
    <Page title={t("common:pages.jobs")}>
      <JobStats />
      <Chip.Group
        value={status ?? ALL}
        onChange={(value) =>
          void navigate({ search: isJobStatus(value) ? { status: value } : {}, replace: true })
        }
      >
        <Group gap="xs" role="radiogroup" aria-label={t("status")}>
          <Chip name={group} value={ALL}>
            {t("all")}
          </Chip>
          {STATUSES.map((value) => (
            <Chip key={value} name={group} value={value}>
              {t(`statuses.${value}`)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <JobList {...(status ? { status } : {})} />
    </Page>
  );
}
