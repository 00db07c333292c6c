/** A page: its title, what can be done with it as a whole, and what it holds. */
import { Group, Stack, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

type Shown = { title: string; actions?: ReactNode; children: ReactNode };

/** The name of the browser's tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Kotodom GPT`;
  }, [title]);
}

export function Page({ title, actions, children }: Shown) {
  useTitle(title);
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1} size="h2" className="text">
          {title}
        </Title>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
