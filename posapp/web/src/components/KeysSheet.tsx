import { useTranslation } from "react-i18next";
import classes from "./KeysHelp.module.css";
import { Sheet } from "./Sheet";

const KEYS = [
  ["/", "search"],
  ["1 – 9", "number"],
  ["← ↑ → ↓ Home End", "arrows"],
  ["F2", "table"],
  ["F4", "guest"],
  ["F8", "send"],
  ["F9", "pay"],
  ["F6 F7 F10", "methods"],
  ["0 – 9", "digits"],
  ["Enter", "enter"],
  ["Esc", "escape"],
  ["?", "help"],
] as const;

/** Every key that does something. */
export function KeysSheet({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Sheet onClose={onClose} width={560} plain title={t("keys.title")}>
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
  );
}
