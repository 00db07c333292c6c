/**
 * A dialog about something, or about nothing: then it is closed. It is always there, so that the
 * focus goes back to where it came from, and it shows what it was about until it has faded.
 */
import { Modal, type ModalProps } from "@mantine/core";
import { type ReactNode, useState } from "react";

type Shown<T> = Omit<ModalProps, "opened" | "title" | "children"> & {
  of: T | null;
  title: (of: T) => ReactNode;
  children: (of: T) => ReactNode;
};

export function Dialog<T>({ of, title, children, ...modal }: Shown<T>) {
  const [shown, show] = useState(of);
  if (of !== null && of !== shown) show(of);
  return (
    <Modal opened={of !== null} title={shown !== null && title(shown)} {...modal}>
      {shown !== null && children(shown)}
    </Modal>
  );
}
