/** API keys: how scripts ask without a person's password. */
import { Button, Code, Text, VisuallyHidden } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { modals } from "@mantine/modals";
import { useQueryClient } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Plus, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { byCursor } from "../../../api/pages";
import { Problem } from "../../../api/problem";
import { Empty } from "../../../parts/Empty";
import { Listing } from "../../../parts/Listing";
import { Page } from "../../../parts/Page";
import { Refused } from "../../../parts/Trouble";
import { When } from "../../../parts/When";
import { NewKey } from "./-NewKey";

export const Route = createFileRoute("/_app/api-keys/")({ component: ApiKeys });

/** Of a button in a row: the focus does not go with them, it goes to the page. */
const leaveFocus = (button: HTMLButtonElement) => () => {
  if (document.activeElement !== button) return;
  document.getElementById("page")?.focus({ preventScroll: true });
};

function ApiKeys() {
  const { t } = useTranslation(["apiKeys", "common"]);
  const queries = useQueryClient();
  const query = $api.useInfiniteQuery("get", "/api/api-keys", {}, byCursor);
  const [creating, create] = useDisclosure();
  const revoke = $api.useMutation("delete", "/api/api-keys/{key_id}", {
    onSettled: () => queries.invalidateQueries({ queryKey: ["get", "/api/api-keys"] }),
  });
  const ask = ({ id, name }: Schemas["ApiKeyView"]) =>
    modals.openConfirmModal({
      title: t("revokeTitle", { name }),
      children: <Text size="sm">{t("revokeText")}</Text>,
      labels: { confirm: t("revoke"), cancel: t("common:cancel") },
      confirmProps: { color: "red" },
      onConfirm: () => revoke.mutate({ params: { path: { key_id: id } } }),
    });
  const add = (
    <Button leftSection={<Plus size={16} aria-hidden />} onClick={create.open}>
      {t("add")}
    </Button>
  );
  return (
    <Page title={t("common:pages.apiKeys")} actions={add}>
      <Refused problem={Problem.in(revoke.error)} />
      <Listing
        query={query}
        empty={<Empty text={t("empty")}>{add}</Empty>}
        columns={[
          { accessor: "name", title: t("name"), ellipsis: true, narrow: "title" },
          {
            accessor: "prefix",
            title: t("key"),
            narrow: "beneath",
            render: ({ prefix }) => <Code>{prefix}…</Code>,
          },
          {
            accessor: "role",
            title: t("role"),
            narrow: "beneath",
            render: ({ role }) => t(`common:roles.${role}`),
          },
          { accessor: "createdBy", title: t("createdBy"), ellipsis: true },
          {
            accessor: "createdAt",
            title: t("created"),
            render: ({ createdAt }) => <When at={createdAt} />,
          },
          {
            accessor: "lastUsedAt",
            title: t("lastUsed"),
            render: ({ lastUsedAt }) =>
              lastUsedAt === null ? t("common:never") : <When at={lastUsedAt} />,
          },
          {
            accessor: "revoke",
            title: <VisuallyHidden>{t("common:actions")}</VisuallyHidden>,
            textAlign: "right",
            narrow: "beneath",
            render: (key) => (
              <Button
                ref={leaveFocus}
                size="compact-sm"
                variant="subtle"
                color="red"
                leftSection={<Trash2 size={14} aria-hidden />}
                aria-label={t("revokeOne", { name: key.name })}
                onClick={() => ask(key)}
              >
                {t("revoke")}
              </Button>
            ),
          },
        ]}
      />
      <NewKey opened={creating} onClose={create.close} />
    </Page>
  );
}
