import { Center, Modal } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { useMe } from "../api/me";
import { sessionEnded } from "../api/session";
import { SignInForm } from "./SignInForm";

/** Over the page, which stays as it was left and is hidden until somebody has signed in again. */
export function SignedOut() {
  const { t } = useTranslation("signIn");
  const { email } = useMe();
  const queries = useQueryClient();
  const goOn = (): void => {
    sessionEnded.set(false);
    void queries.invalidateQueries();
  };
  return (
    <Modal.Root opened fullScreen onClose={() => {}} transitionProps={{ duration: 0 }}>
      <Modal.Content aria-label={t("title")}>
        <Center mih="100dvh">
          <Modal.Body w="100%" maw={400}>
            <SignInForm email={email} hint={t("ended")} onSignedIn={goOn} />
          </Modal.Body>
        </Center>
      </Modal.Content>
    </Modal.Root>
  );
}
