/** Users: who may sign in, and as what. */
import { Badge, Button, VisuallyHidden } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { Pencil, Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { byCursor, items } from "../../../api/pages";
import { Listing } from "../../../parts/Listing";
import { Page } from "../../../parts/Page";
import { When } from "../../../parts/When";
import { UserDialog } from "./-UserForm";

export const Route = createFileRoute("/_app/users/")({ component: Users });

function Users() {
  const { t } = useTranslation(["users", "common"]);
  const query = $api.useInfiniteQuery("get", "/api/users", {}, byCursor);
  const [edited, edit] = useState<string | null>(null);
  // As it is by now: others change users too.
  const user = items(query.data).find(({ id }) => id === edited) ?? null;
  return (
    <Page
      title={t("common:pages.users")}
      actions={
        <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => edit("new")}>
          {t("add")}
        </Button>
      }
    >
      <Listing
        query={query}
        empty={null}
        columns={[
          { accessor: "email", title: t("email"), ellipsis: true, narrow: "title" },
          {
            accessor: "role",
            title: t("role"),
            narrow: "beneath",
            render: ({ role }) => t(`common:roles.${role}`),
          },
          {
            accessor: "status",
            title: t("status"),
            narrow: "beneath",
            render: ({ status }) => (
              <Badge variant="light" tt="none" color={status === "ACTIVE" ? "green" : "gray"}>
                {t(`statuses.${status}`)}
              </Badge>
            ),
          },
          {
            accessor: "createdAt",
            title: t("created"),
            render: ({ createdAt }) => <When at={createdAt} />,
          },
          {
            accessor: "edit",
            title: <VisuallyHidden>{t("common:actions")}</VisuallyHidden>,
            textAlign: "right",
            narrow: "beneath",
            render: (user) => (
              <Button
                size="compact-sm"
                variant="subtle"
                leftSection={<Pencil size={14} aria-hidden />}
                aria-label={t("editOne", { email: user.email })}
                onClick={() => edit(user.id)}
              >
                {t("edit")}
              </Button>
            ),
          },
        ]}
      />
      <UserDialog edited={edited === "new" ? edited : user} onClose={() => edit(null)} />
    </Page>
  );
}
