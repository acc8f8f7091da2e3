import { useTranslation } from "react-i18next";
import { LANGUAGES, speak } from "@/i18n";
import classes from "./LanguageSwitch.module.css";

const NAMES = { id: "Bahasa Indonesia", en: "English" };

export function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  return (
    <div role="group" aria-label={t("app.language")} className={classes.group}>
      {LANGUAGES.map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          aria-label={`${language.toUpperCase()}: ${NAMES[language]}`}
          aria-pressed={i18n.language === language}
          className={classes.choice}
          onClick={() => void speak(language).catch(() => null)}
        >
          {language.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
