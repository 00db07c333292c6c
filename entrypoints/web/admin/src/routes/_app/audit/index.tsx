/** Audit: who asked for which change, what it changed, how it ended. */
import { Button, Code, TextInput, VisuallyHidden } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { byCursor } from "../../../api/pages";
import { Empty } from "../../../parts/Empty";
import { FilterBar } from "../../../parts/FilterBar";
import { Listing } from "../../../parts/Listing";
import { Page } from "../../../parts/Page";
import { useTyped } from "../../../parts/typed";
import { When } from "../../../parts/When";
import { Entry } from "./-Entry";

const FILTERS = ["actor", "action", "target"] as const;
type Filters = { [name in (typeof FILTERS)[number]]?: string };

export const Route = createFileRoute("/_app/audit/")({
  validateSearch: (search): Filters =>
    Object.fromEntries(
      FILTERS.flatMap((name) => (search[name] ? [[name, String(search[name])]] : [])),
    ),
  component: Audit,
});

function Audit() {
  const { t } = useTranslation(["audit", "common"]);
  const filters = Route.useSearch();
  const navigate = Route.useNavigate();
  const query = $api.useInfiniteQuery(
    "get",
    "/api/audit",
    { params: { query: filters } },
    byCursor,
  );
  const [shown, show] = useState<Schemas["AuditEntry"] | null>(null);
  return (
    <Page title={t("common:pages.audit")}>
      <FilterBar count={Object.keys(filters).length}>
        {FILTERS.map((name) => (
          <Filter
            key={name}
            name={name}
            asked={filters[name] ?? ""}
            ask={(words) =>
              void navigate({
                search: (old) => ({ ...old, [name]: words || undefined }),
                replace: true,
              })
            }
          />
        ))}
      </FilterBar>
      <Listing
        query={query}
        empty={<Empty text={Object.keys(filters).length > 0 ? t("nothing") : t("empty")} />}
        columns={[
          { accessor: "at", title: t("at"), render: ({ at }) => <When at={at} /> },
          { accessor: "actor", title: t("actor"), ellipsis: true },
          { accessor: "action", title: t("action"), render: ({ action }) => <Code>{action}</Code> },
          { accessor: "target", title: t("target"), ellipsis: true, width: 220 },
          { accessor: "status", title: t("status"), textAlign: "right" },
          { accessor: "address", title: t("address"), ellipsis: true },
          {
            accessor: "details",
            title: <VisuallyHidden>{t("common:actions")}</VisuallyHidden>,
            textAlign: "right",
            render: (entry) =>
              entry.before === null && entry.after === null ? null : (
                <Button size="compact-sm" variant="subtle" onClick={() => show(entry)}>
                  {t("details")}
                </Button>
              ),
          },
        ]}
      />
      <Entry entry={shown} onClose={() => show(null)} />
    </Page>
  );
}

type Filtered = { name: keyof Filters; asked: string; ask: (words: string) => void };

function Filter({ name, asked, ask }: Filtered) {
  const { t } = useTranslation("audit");
  const [typed, type] = useTyped(asked, ask);
  return (
    <TextInput
      label={t(name)}
      placeholder={t(`examples.${name}`)}
      value={typed}
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
}
