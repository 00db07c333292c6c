/** One number and what it is; where its name is a link, all of the card follows it. */
import { Paper, Skeleton, Text } from "@mantine/core";
import type { ReactNode } from "react";

import classes from "./Figure.module.css";

type Shown = {
  name: ReactNode;
  /** Undefined while it is awaited: as large then as it will be, so that nothing beneath moves. */
  value: ReactNode | undefined;
};

export function Figure({ name, value }: Shown) {
  return (
    <Paper withBorder p="md" className={classes.figure ?? ""}>
      <Text size="sm" c="dimmed" className={classes.name ?? ""}>
        {name}
      </Text>
      <Text size="xl" fw={700}>
        {value ?? (
          <Skeleton component="span" display="block" width="4ch">
            &nbsp;
          </Skeleton>
        )}
      </Text>
    </Paper>
  );
}
