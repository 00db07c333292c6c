/** No chat is chosen yet. */
import { createFileRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Empty } from "../../../parts/Empty";
import { useTitle } from "../../../parts/Page";

export const Route = createFileRoute("/_app/chats/")({ component: Nothing });

function Nothing() {
  const { t } = useTranslation(["chats", "common"]);
  useTitle(t("common:pages.chats"));
  return <Empty text={t("choose")} />;
}
