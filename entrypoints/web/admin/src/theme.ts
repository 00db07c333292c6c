import { type CSSVariablesResolver, createTheme, type MantineThemeOverride } from "@mantine/core";
import type { TFunction } from "i18next";

/** With what Mantine's buttons without words are called. */
export const makeTheme = (t: TFunction): MantineThemeOverride =>
  createTheme({
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
      Modal: { defaultProps: { closeButtonProps: { "aria-label": t("close") } } },
      // Not the page's own <header>, which there is once.
      ModalHeader: { defaultProps: { role: "none" } },
      // In its page's landmark, and with nothing in it but what can be done.
      Menu: { defaultProps: { withinPortal: false, withInitialFocusPlaceholder: false } },
      Combobox: { defaultProps: { withinPortal: false } },
      PasswordInput: {
        defaultProps: { visibilityToggleButtonProps: { "aria-label": t("showPassword") } },
      },
      Notification: { defaultProps: { closeButtonProps: { "aria-label": t("close") } } },
      DateTimePicker: {
        defaultProps: {
          previousLabel: t("calendar.previous"),
          nextLabel: t("calendar.next"),
          submitButtonProps: { "aria-label": t("calendar.submit") },
        },
      },
      // What scrolls must be reached by keyboard.
      TableScrollContainer: {
        defaultProps: { scrollAreaProps: { viewportProps: { tabIndex: 0 } } },
      },
    },
  });

/** The colours in which alerts and badges tell something. */
const TOLD = ["red", "orange", "yellow", "green", "blue", "gray"] as const;

/** Texts that stand back, and those on a tint of their colour, keep a contrast of 4.5 (WCAG 2.2 AA). */
export const variables: CSSVariablesResolver = ({ colors }) => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": colors.gray[7],
    "--mantine-color-placeholder": colors.gray[7],
    "--mantine-color-anchor": colors.indigo[9],
    "--mantine-color-red-filled": colors.red[9],
    "--mantine-color-red-filled-hover": "#b02323",
    "--mantine-color-green-light-color": "#1f6b2e",
    "--mantine-color-yellow-light-color": "#7a4a00",
    "--mantine-color-orange-light-color": "#8a3a00",
    "--mantine-color-red-light-color": "#a61e1e",
    "--mantine-color-gray-light-color": colors.gray[8],
  },
  dark: {
    "--mantine-color-dimmed": colors.dark[1],
    "--mantine-color-placeholder": colors.dark[1],
    // A tint; Mantine's own is as dark and as full as a button.
    ...Object.fromEntries(
      TOLD.map((color) => [`--mantine-color-${color}-light`, `${colors[color][6]}2e`]),
    ),
  },
});
