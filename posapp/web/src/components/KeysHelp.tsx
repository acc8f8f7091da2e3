import { CircleQuestionMark } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useKeys } from "@/lib/use-keys";
import classes from "./KeysHelp.module.css";
import { Sheet } from "./Sheet";

const KEYS = [
  ["/", "search"],
  ["← ↑ → ↓ Home End", "arrows"],
  ["F2", "table"],
  ["F4", "guest"],
  ["F8", "send"],
  ["F9", "pay"],
  ["0 – 9", "digits"],
  ["Enter", "enter"],
  ["Esc", "escape"],
  ["?", "help"],
] as const;

/** Every key that does something, on "?" and behind a button. */
export function KeysHelp() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  useKeys({ "?": () => setOpen(true) });
  return (
    <>
      <button
        type="button"
        className={classes.button}
        aria-label={t("frame.keys")}
        title={t("frame.keys")}
        onClick={() => setOpen(true)}
      >
        <CircleQuestionMark size={20} aria-hidden="true" />
      </button>
      {open && (
        <Sheet onClose={() => setOpen(false)} width={560} plain title={t("keys.title")}>
          <table className={classes.keys}>
            <thead>
              <tr>
                <th>{t("keys.key")}</th>
                <th>{t("keys.act")}</th>
              </tr>
            </thead>
            <tbody>
              {KEYS.map(([key, act]) => (
                <tr key={act}>
                  <td>
                    <kbd>{key}</kbd>
                  </td>
                  <td>{t(`keys.${act}`)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Sheet>
      )}
    </>
  );
}
