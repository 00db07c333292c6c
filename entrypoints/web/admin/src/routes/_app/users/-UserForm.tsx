import { Button, Group, PasswordInput, Select, Stack, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { ROLES, useMe } from "../../../api/me";
import { Problem } from "../../../api/problem";
import { Dialog } from "../../../parts/Dialog";
import { differing, useKeptForm } from "../../../parts/kept";
import { SHORTEST_PASSWORD } from "../../../parts/password";
import { Unfielded } from "../../../parts/Trouble";

type User = Schemas["User"];
type Edited = User | "new";

const STATUSES = ["ACTIVE", "DISABLED"] as const satisfies readonly User["status"][];

export function UserDialog({ edited, onClose }: { edited: Edited | null; onClose: () => void }) {
  const { t } = useTranslation("users");
  return (
    <Dialog
      of={edited}
      onClose={onClose}
      title={(edited) => t(edited === "new" ? "add" : "editTitle")}
    >
      {(edited) => <UserForm user={edited === "new" ? null : edited} onClose={onClose} />}
    </Dialog>
  );
}

type UserFields = Pick<User, "email" | "role" | "status"> & { password: string };

const fieldsOf = (user: User | null): UserFields => ({
  email: user?.email ?? "",
  role: user?.role ?? "USER",
  status: user?.status ?? "ACTIVE",
  password: "",
});

/** Makes a user, or changes `user`; an empty password leaves theirs. */
function UserForm({ user, onClose }: { user: User | null; onClose: () => void }) {
  const { t } = useTranslation(["users", "common"]);
  const queries = useQueryClient();
  const me = useMe();
  const short = t("common:passwordShort", { least: SHORTEST_PASSWORD });
  const { form } = useKeptForm(user, fieldsOf, {
    validate: {
      email: (value) => (value.includes("@") ? null : t("emailWrong")),
      password: (value) => (value.length >= SHORTEST_PASSWORD || (user && !value) ? null : short),
    },
    say: (path, value) =>
      path === "role"
        ? t(`common:roles.${value as User["role"]}`)
        : path === "status"
          ? t(`statuses.${value as User["status"]}`)
          : undefined,
  });
  const settled = {
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["get", "/api/users"] });
      void queries.invalidateQueries({ queryKey: ["get", "/api/auth/me"] });
      onClose();
    },
    onError: (error: unknown) => form.setErrors(Problem.in(error)?.fields ?? {}),
  };
  const create = $api.useMutation("post", "/api/users", settled);
  const change = $api.useMutation("patch", "/api/users/{user_id}", settled);
  const save = form.onSubmit((fields) => {
    const { email, role, password } = fields;
    if (user === null) create.mutate({ body: { email, role, password } });
    else
      change.mutate({
        params: { path: { user_id: user.id } },
        body: differing(fieldsOf(user), fields),
      });
  });
  return (
    <form onSubmit={save} noValidate>
      <Stack>
        <TextInput
          label={t("email")}
          type="email"
          autoComplete="off"
          data-autofocus
          {...form.getInputProps("email")}
        />
        <Select
          label={t("role")}
          description={t(`roleHints.${form.values.role}`)}
          data={ROLES.map((value) => ({ value, label: t(`common:roles.${value}`) }))}
          allowDeselect={false}
          {...form.getInputProps("role")}
        />
        {user && (
          <Select
            label={t("status")}
            description={t("disabledHint")}
            data={STATUSES.map((value) => ({ value, label: t(`statuses.${value}`) }))}
            allowDeselect={false}
            disabled={user.id === me.id}
            {...form.getInputProps("status")}
          />
        )}
        <PasswordInput
          label={t("password")}
          description={user ? t("passwordKept") : short}
          autoComplete="new-password"
          {...form.getInputProps("password")}
        />
        <Unfielded problem={Problem.in(create.error ?? change.error)} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" loading={create.isPending || change.isPending}>
            {t("common:save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
