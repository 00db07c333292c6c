/** Audit: who asked for which change, what it changed, how it ended. */
import { Button, Select, TextInput, VisuallyHidden } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { byCursor } from "../../../api/pages";
import { known, wordsOf } from "../../../parts/asked";
import { Empty } from "../../../parts/Empty";
import { FilterBar } from "../../../parts/FilterBar";
import { Listing } from "../../../parts/Listing";
import { Page } from "../../../parts/Page";
import { useTyped } from "../../../parts/typed";
import { When } from "../../../parts/When";
import { useActions } from "./-actions";
import { Action, Entry } from "./-Entry";

/** How long each may be. */
const LONGEST = { actor: 320, action: 100, target: 300 } as const;
type Filters = { [name in keyof typeof LONGEST]?: string };

export const Route = createFileRoute("/_app/audit/")({
  validateSearch: (search): Filters =>
    known({
      actor: wordsOf(search.actor, LONGEST.actor),
      action: wordsOf(search.action, LONGEST.action),
      target: wordsOf(search.target, LONGEST.target),
    }),
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
  const ask = (changed: Filters): void => {
    const [[name, words] = []] = Object.entries(changed);
    if (name === undefined) return;
    void navigate({ search: (old) => ({ ...old, [name]: words || undefined }), replace: true });
  };
  const actions = useActions();
  const [shown, show] = useState<Schemas["AuditEntry"] | null>(null);
  return (
    <Page title={t("common:pages.audit")}>
      <FilterBar count={Object.keys(filters).length}>
        <Words name="actor" asked={filters.actor ?? ""} ask={(actor) => ask({ actor })} />
        <Select
          label={t("action")}
          placeholder={t("anyAction")}
          data={Object.entries(actions).map(([value, label]) => ({ value, label }))}
          value={filters.action ?? null}
          onChange={(action) => ask({ action: action ?? "" })}
          searchable
          nothingFoundMessage={t("noSuchAction")}
          clearable
          clearButtonProps={{ "aria-label": t("anyAction") }}
        />
        <Words name="target" asked={filters.target ?? ""} ask={(target) => ask({ target })} />
      </FilterBar>
      <Listing
        query={query}
        empty={<Empty text={Object.keys(filters).length > 0 ? t("nothing") : t("empty")} />}
        columns={[
          {
            accessor: "at",
            title: t("at"),
            narrow: "beneath",
            render: ({ at }) => <When at={at} />,
          },
          { accessor: "actor", title: t("actor"), ellipsis: true, narrow: "beneath" },
          {
            accessor: "action",
            title: t("action"),
            narrow: "title",
            render: ({ action }) => <Action action={action} />,
          },
          { accessor: "target", title: t("target"), ellipsis: true, width: 220 },
          { accessor: "status", title: t("status"), textAlign: "right" },
          { accessor: "address", title: t("address"), ellipsis: true },
          {
            accessor: "details",
            title: <VisuallyHidden>{t("common:actions")}</VisuallyHidden>,
            textAlign: "right",
            narrow: "beneath",
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

type Filtered = { name: "actor" | "target"; asked: string; ask: (words: string) => void };

function Words({ name, asked, ask }: Filtered) {
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
