/** What a list is narrowed by: side by side; on a narrow screen behind a button, which counts them. */
import { Box, Button, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { SlidersHorizontal } from "lucide-react";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";

import classes from "./FilterBar.module.css";

export function FilterBar({ count, children }: { count: number; children: ReactNode }) {
  const { t } = useTranslation();
  const [opened, { toggle }] = useDisclosure();
  const id = useId();
  return (
    <Box role="search">
      <Button
        variant="default"
        hiddenFrom="sm"
        mb={opened ? "xs" : 0}
        leftSection={<SlidersHorizontal size={16} aria-hidden />}
        aria-expanded={opened}
        aria-controls={id}
        onClick={toggle}
      >
        {count > 0 ? `${t("filters")} (${count})` : t("filters")}
      </Button>
      <Group
        id={id}
        align="flex-end"
        className={classes.filters ?? ""}
        {...(opened ? {} : { visibleFrom: "sm" })}
      >
        {children}
      </Group>
    </Box>
  );
}
