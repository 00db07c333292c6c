/** The status of a message's processing, in words and colour. */
import { Badge } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../api/client";

type Status = Schemas["Status"];

const COLORS: Record<Status, string> = {
  RECEIVED: "gray",
  PROCESSING: "blue",
  COMPLETED: "green",
  FAILED: "yellow",
  TERMINAL: "red",
};

export function StatusBadge({ status }: { status: Status }) {
  const { t } = useTranslation();
  return (
    <Badge color={COLORS[status]} variant="light" tt="none">
      {t(`status.${status}`)}
    </Badge>
  );
}
