/** How a form of settings ends: what was refused, undo, save; nobody leaves changes by accident. */
import { Button, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Problem } from "../api/problem";
import { Unfielded } from "./Trouble";
import { useUnsaved } from "./unsaved";

type Saving = {
  form: { isDirty: () => boolean; reset: () => void };
  isPending: boolean;
  problem: Problem | null;
};

export function SaveBar({ form, isPending, problem }: Saving) {
  const { t } = useTranslation();
  useUnsaved(() => form.isDirty());
  return (
    <>
      <Unfielded problem={problem} />
      <Group justify="flex-end">
        {form.isDirty() && (
          <>
            <Text size="sm">{t("dirty")}</Text>
            <Button variant="default" onClick={form.reset}>
              {t("undo")}
            </Button>
          </>
        )}
        <Button type="submit" loading={isPending} disabled={!form.isDirty()}>
          {t("save")}
        </Button>
      </Group>
    </>
  );
}
