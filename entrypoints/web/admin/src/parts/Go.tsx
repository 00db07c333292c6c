/** Mantine's link and button, going to pages of ours. */
import { Anchor, type AnchorProps, Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, Ref } from "react";

type Linking = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "style" | "color"> & {
  ref?: Ref<HTMLAnchorElement>;
};

export const Go = createLink((props: AnchorProps & Linking) => <Anchor {...props} />);

export const GoButton = createLink((props: ButtonProps & Linking) => (
  <Button component="a" {...props} />
));
