import i18next from "i18next";
import { initReactI18next } from "react-i18next";
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
});

const first = remembered();
await i18next.use(initReactI18next).init({
  lng: "id",
  fallbackLng: "id",
  resources: { id: { translation: id } },
  interpolation: { escapeValue: false },
});

/** The texts that come when somebody asks for them. */
const LATER = { en: () => import("./en.json") };

/** Have the texts of a language on this device. Rejects where they cannot be fetched. */
async function fetchTexts(language: Language): Promise<void> {
  if (language === "id" || i18next.hasResourceBundle(language, "translation")) return;
  i18next.addResourceBundle(language, "translation", (await LATER[language]()).default);
}

let wished: Language | null = null;

/**
 * Change the language of this device. The choice is kept at once, so that a page that is left before the
 * texts are here comes back in it; where they cannot be fetched, the screen stays as it is.
 */
export async function speak(language: Language): Promise<void> {
  wished = language;
  localStorage.setItem(STORAGE_KEY, language);
  await fetchTexts(language);
  if (wished === language) await i18next.changeLanguage(language); // the last choice counts
}

/** Have every language here, for a switch while the server is away. */
export const fetchLanguages = () => Promise.all(LANGUAGES.map(fetchTexts));

await speak(first).catch(() => null);
