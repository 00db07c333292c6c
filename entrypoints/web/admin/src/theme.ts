import { type CSSVariablesResolver, createTheme } from "@mantine/core";

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 8 },
  autoContrast: true,
  defaultRadius: "md",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    // In a narrow table a badge is no use when it is cut.
    Badge: { styles: { root: { minWidth: "max-content" } } },
    // Mantine's own grey is too pale on the tint of the page that is open.
    NavLink: { styles: { description: { color: "inherit", opacity: 1 } } },
  },
});

/** Texts that stand back, and those on a tint of their colour, keep a contrast of 4.5 (WCAG 2.2 AA). */
export const variables: CSSVariablesResolver = ({ colors }) => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": colors.gray[7],
    "--mantine-color-placeholder": colors.gray[7],
    "--mantine-color-green-light-color": "#1f6b2e",
    "--mantine-color-yellow-light-color": "#7a4a00",
    "--mantine-color-orange-light-color": "#8a3a00",
    "--mantine-color-red-light-color": "#a61e1e",
    "--mantine-color-gray-light-color": colors.gray[8],
  },
  dark: {
    "--mantine-color-dimmed": colors.dark[1],
    "--mantine-color-placeholder": colors.dark[1],
  },
});
