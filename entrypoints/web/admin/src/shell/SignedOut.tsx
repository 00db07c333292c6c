import { Center, Modal } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useMe } from "../api/me";
import { SignInForm } from "./SignInForm";

/** Over the page, which stays as it was left and is hidden until somebody has signed in again. */
export function SignedOut() {
  const { t } = useTranslation("signIn");
  const { email } = useMe();
  const queries = useQueryClient();
  useWayBack();
  return (
    <Modal.Root opened fullScreen onClose={() => {}} transitionProps={{ duration: 0 }}>
      <Modal.Content aria-label={t("title")}>
        <Center mih="100dvh">
          <Modal.Body w="100%" maw={400}>
            <SignInForm
              email={email}
              hint={t("ended")}
              onSignedIn={() => void queries.invalidateQueries()}
            />
          </Modal.Body>
        </Center>
      </Modal.Content>
    </Modal.Root>
  );
}

/** Whoever has signed in goes on where they were: at the same place, else in the dialog or the page. */
function useWayBack(): void {
  const [left] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      const places = [left, ...document.querySelectorAll("[role=dialog], #page")];
      for (const place of places) {
        const isNowhere = document.activeElement === document.body;
        if (isNowhere && place instanceof HTMLElement) place.focus({ preventScroll: true });
      }
    },
    [left],
  );
}
