import { createTheme, type MantineColorsTuple } from "@mantine/core";

const ember: MantineColorsTuple = [
  "#fdf3ec", "#f9e2d3", "#f2c3a5", "#eaa173", "#e2834a",
  "#d96a2c", "#c5531b", "#a84214", "#8a3511", "#6d2a0e",
];
const wood: MantineColorsTuple = [
  "#faf7f3", "#f1ebe2", "#e3d8ca", "#cbb9a4", "#a68c74",
  "#866c55", "#6b5341", "#503d30", "#372821", "#231813",
];
/** Grounds and lines of the dark theme, from its text to what lies deepest. */
const dark: MantineColorsTuple = [
  "#f5ece1", "#e3d8ca", "#cbb9a4", "#8d7764", "#4d3c31",
  "#3a2d25", "#2b201a", "#211814", "#17100d", "#0f0a08",
];
const leaf: MantineColorsTuple = [
  "#eff6ee", "#dcebd9", "#b8d6b3", "#91bf8a", "#6fab66",
  "#4f9446", "#3d7d36", "#2f6629", "#25521f", "#1a3b16",
];

/** Dark wood, ember and a calm light surface. Shade 7 on white is at least 6:1 (WCAG AA). */
export const theme = createTheme({
  colors: { ember, wood, leaf, dark, gray: wood },
  primaryColor: "ember",
  primaryShade: { light: 7, dark: 7 },
  black: "#231813",
  fontFamily: "Figtree, system-ui, sans-serif",
  headings: { fontFamily: "Fraunces, Georgia, serif", fontWeight: "560" },
  defaultRadius: "md",
  radius: { sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Button: { defaultProps: { size: "md" }, styles: { root: { minHeight: 48 } } },
    TextInput: { defaultProps: { size: "md" }, styles: { input: { minHeight: 50 } } },
    PasswordInput: {
      defaultProps: { size: "md" },
      styles: {
        // Two pixels of border, within which both targets are 48 high.
        input: { minHeight: 50 },
        innerInput: { minHeight: 48 },
        visibilityToggle: { width: 48, height: 48, minWidth: 48, minHeight: 48 },
      },
    },
    // Its label counts only with a role.
    Loader: { defaultProps: { role: "img" } },
    ActionIcon: { defaultProps: { size: 48, variant: "subtle", color: "wood" } },
  },
});
