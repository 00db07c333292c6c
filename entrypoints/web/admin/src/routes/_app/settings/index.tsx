/** Settings: what the running system needs changed without a restart. */
import { createFileRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { Rows } from "../../../parts/more";
import { Page } from "../../../parts/Page";
import { Refused } from "../../../parts/Trouble";
import { SettingsForm } from "./-SettingsForm";

export const Route = createFileRoute("/_app/settings/")({ component: Settings });

function Settings() {
  const { t } = useTranslation();
  const query = $api.useQuery("get", "/api/settings");
  return (
    <Page title={t("pages.settings")}>
      {query.data ? (
        <SettingsForm settings={query.data} />
      ) : query.isPending ? (
        <Rows />
      ) : (
        <Refused problem={Problem.in(query.error)} again={query.refetch} />
      )}
    </Page>
  );
}
