/** One number and what it is. */
import { Paper, Text } from "@mantine/core";
import type { ReactNode } from "react";

export function Figure({ name, value }: { name: string; value: ReactNode }) {
  return (
    <Paper withBorder p="md">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="xl" fw={700}>
        {value}
      </Text>
    </Paper>
  );
}
