import { useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { Moon, Sun } from "lucide-react";
import { useTranslation } from "react-i18next";
import classes from "./LanguageSwitch.module.css";

/** Light or dark: as the device has it, until somebody chooses here. */
export function ThemeSwitch() {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light", { getInitialValueInEffect: false }) === "dark";
  const Icon = dark ? Moon : Sun;
  return (
    <div className={classes.group}>
      <button
        type="button"
        className={classes.choice}
        aria-label={t("frame.dark")}
        aria-pressed={dark}
        onClick={() => setColorScheme(dark ? "light" : "dark")}
      >
        <Icon size={20} aria-hidden="true" />
      </button>
    </div>
  );
}
