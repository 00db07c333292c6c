import { Badge, Button, Code, Group, Text, VisuallyHidden } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { byCursor } from "../../../api/pages";
import { Empty } from "../../../parts/Empty";
import { Listing } from "../../../parts/Listing";
import { tellRefused } from "../../../parts/tell";
import { When } from "../../../parts/When";
import { JobDetails } from "./-JobDetails";
import { ASK_AGAIN_MS, COLORS, type JobStatus } from "./-statuses";

type Job = Schemas["JobView"];

export function JobList({ status }: { status?: JobStatus }) {
  const { t } = useTranslation(["jobs", "common"]);
  const queries = useQueryClient();
  const query = $api.useInfiniteQuery(
    "get",
    "/api/jobs",
    { params: { query: status ? { status } : {} } },
    {
      ...byCursor,
      // Who has asked for more reads on in peace, and each page would be a question.
      refetchInterval: ({ state }) => state.data?.pages.length === 1 && ASK_AGAIN_MS,
    },
  );
  const [shown, show] = useState<Job | null>(null);
  const asked = {
    onError: (error: unknown, { params }: { params: { path: { job_id: number } } }) => {
      const of = `${t("detailsTitle", { id: params.path.job_id })}: `;
      tellRefused(error, t("common:problem.away"), of);
    },
    onSettled: () =>
      queries.invalidateQueries({
        predicate: ({ queryKey }) => String(queryKey[1]).startsWith("/api/jobs"),
      }),
  };
  const requeue = $api.useMutation("post", "/api/jobs/{job_id}/requeue", asked);
  const remove = $api.useMutation("delete", "/api/jobs/{job_id}", asked);
  const path = (job: Job) => ({ params: { path: { job_id: job.id } } });
  const confirm = (job: Job) =>
    modals.openConfirmModal({
      title: t("deleteTitle", { id: job.id }),
      children: <Text size="sm">{t("deleteText")}</Text>,
      labels: { confirm: t("common:delete"), cancel: t("common:cancel") },
      confirmProps: { color: "red" },
      onConfirm: () => remove.mutate(path(job)),
    });
  return (
    <>
      <Listing
        query={query}
        empty={<Empty text={status ? t("nothing") : t("empty")} />}
        columns={[
          {
            accessor: "id",
            title: t("job"),
            narrow: "title",
            render: ({ id }) => <Code>{id}</Code>,
          },
          { accessor: "entrypoint", title: t("kind"), ellipsis: true },
          {
            accessor: "status",
            title: t("status"),
            narrow: "beneath",
            render: (job) => (
              <Badge color={COLORS[job.status]} variant="light" tt="none">
                {t(`statuses.${job.status}`)}
              </Badge>
            ),
          },
          { accessor: "attempts", title: t("attempts"), textAlign: "right" },
          {
            accessor: "createdAt",
            title: t("created"),
            render: (job) => <When at={job.createdAt} />,
          },
          { accessor: "nextAt", title: t("next"), render: (job) => <When at={job.nextAt} /> },
          { accessor: "error", title: t("error"), ellipsis: true, width: 220, narrow: "beneath" },
          {
            accessor: "actions",
            title: <VisuallyHidden>{t("common:actions")}</VisuallyHidden>,
            textAlign: "right",
            narrow: "beneath",
            render: (job) => (
              <Group gap={4} justify="flex-end" wrap="nowrap">
                <Button size="compact-sm" variant="subtle" onClick={() => show(job)}>
                  {t("details")}
                </Button>
                <Button
                  size="compact-sm"
                  variant="subtle"
                  disabled={job.status === "picked"}
                  onClick={() => requeue.mutate(path(job))}
                >
                  {t("requeue")}
                </Button>
                <Button size="compact-sm" variant="subtle" color="red" onClick={() => confirm(job)}>
                  {t("common:delete")}
                </Button>
              </Group>
            ),
          },
        ]}
      />
      <JobDetails job={shown} onClose={() => show(null)} />
    </>
  );
}
