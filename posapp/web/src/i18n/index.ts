import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import en from "./en.json";
import id from "./id.json";

export const LANGUAGES = ["id", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof id };
  }
}

const STORAGE_KEY = "kenangan.language";
const isLanguage = (value: string | null): value is Language =>
  LANGUAGES.some((language) => language === value);

/** Bahasa Indonesia unless this device was switched to English. */
function remembered(): Language {
  const value = localStorage.getItem(STORAGE_KEY);
  return isLanguage(value) ? value : "id";
}

i18next.on("languageChanged", (language) => {
  document.documentElement.lang = language;
  localStorage.setItem(STORAGE_KEY, language);
});

await i18next.use(initReactI18next).init({
  lng: remembered(),
  fallbackLng: "id",
  resources: { id: { translation: id }, en: { translation: en } },
  interpolation: { escapeValue: false },
});
