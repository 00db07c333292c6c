/** Nothing here yet, and what to do next. */
import { Center, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

export function Empty({ text, children }: { text: string; children?: ReactNode }) {
  return (
    <Center mih={200} p="md">
      <Stack align="center" gap="sm" maw={420} ta="center">
        <Text c="dimmed">{text}</Text>
        {children}
      </Stack>
    </Center>
  );
}
