import {
  Alert,
  Button,
  Code,
  CopyButton,
  Group,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { ROLES, type Role, useMe } from "../../../api/me";
import { Problem } from "../../../api/problem";
import { Dialog } from "../../../parts/Dialog";
import { Unfielded } from "../../../parts/Trouble";

function useCreate() {
  const queries = useQueryClient();
  return $api.useMutation("post", "/api/api-keys", {
    onSuccess: () => queries.invalidateQueries({ queryKey: ["get", "/api/api-keys"] }),
  });
}

type Shown = { opened: boolean; onClose: () => void };

/** Makes a key, and shows it this once: so nothing but a button closes what shows it. */
export function NewKey({ opened, onClose }: Shown) {
  const { t } = useTranslation("apiKeys");
  const create = useCreate();
  const key = create.data?.key;
  const mayClose = key === undefined && !create.isPending;
  return (
    <Dialog
      of={opened || null}
      onClose={onClose}
      onExitTransitionEnd={create.reset}
      title={() => t("add")}
      closeOnClickOutside={mayClose}
      closeOnEscape={mayClose}
    >
      {() =>
        key === undefined ? (
          <KeyForm create={create} onClose={onClose} />
        ) : (
          <ShownOnce secret={key} onClose={onClose} />
        )
      }
    </Dialog>
  );
}

function ShownOnce({ secret, onClose }: { secret: string; onClose: () => void }) {
  const { t } = useTranslation("apiKeys");
  return (
    <Stack>
      <Alert color="yellow">{t("once")}</Alert>
      <Code block className="text" data-testid="api-key">
        {secret}
      </Code>
      {!("clipboard" in navigator) && <Text size="sm">{t("copyYourself")}</Text>}
      <Group justify="flex-end">
        {"clipboard" in navigator && (
          <CopyButton value={secret}>
            {({ copied, copy }) => (
              <Button variant="light" onClick={copy}>
                {copied ? t("copied") : t("copy")}
              </Button>
            )}
          </CopyButton>
        )}
        <Button onClick={onClose}>{t("done")}</Button>
      </Group>
    </Stack>
  );
}

function KeyForm({
  create,
  onClose,
}: {
  create: ReturnType<typeof useCreate>;
  onClose: () => void;
}) {
  const { t } = useTranslation(["apiKeys", "common"]);
  const me = useMe();
  // A key may do what its maker may, or less.
  const roles = ROLES.slice(0, ROLES.indexOf(me.role) + 1);
  const form = useForm<{ name: string; role: Role }>({
    initialValues: { name: "", role: "USER" },
    validate: { name: (value) => (value.trim() ? null : t("nameMissing")) },
  });
  const onError = (error: unknown): void => form.setErrors(Problem.in(error)?.fields ?? {});
  return (
    <form onSubmit={form.onSubmit((body) => create.mutate({ body }, { onError }))} noValidate>
      <Stack>
        <Text size="sm">{t("what")}</Text>
        <TextInput
          label={t("name")}
          placeholder={t("nameExample")}
          data-autofocus
          {...form.getInputProps("name")}
        />
        <Select
          label={t("role")}
          data={roles.map((value) => ({ value, label: t(`common:roles.${value}`) }))}
          allowDeselect={false}
          {...form.getInputProps("role")}
        />
        <Unfielded problem={Problem.in(create.error)} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {t("make")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
