/** Jobs: what waits, what runs, what is held, and how fast the queue moves. */
import { SegmentedControl } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
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
  return (
    <Page title={t("common:pages.jobs")}>
      <JobStats />
      <SegmentedControl
        aria-label={t("status")}
        value={status ?? ALL}
        onChange={(value) =>
          void navigate({ search: isJobStatus(value) ? { status: value } : {}, replace: true })
        }
        data={[
          { value: ALL, label: t("all") },
          ...STATUSES.map((value) => ({ value, label: t(`statuses.${value}`) })),
        ]}
        style={{ alignSelf: "flex-start", maxWidth: "100%", overflowX: "auto" }}
      />
      <JobList {...(status ? { status } : {})} />
    </Page>
  );
}
