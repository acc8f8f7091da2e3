import { useId } from "react";
import { useTranslation } from "react-i18next";
import { useRovingFocus } from "@/components/use-roving-focus";
import classes from "./OptionGroup.module.css";

interface Option {
  id: number;
  name: string;
  priceText: string;
  chosen: boolean;
  disabled?: boolean;
}

interface OptionGroupProps {
  label: string;
  hint: string;
  required: boolean;
  single: boolean;
  /** Whether the focus begins here. */
  first: boolean;
  options: Option[];
  onPick: (id: number) => void;
}

/** Large options to tap, announced as check boxes or, where one excludes the others, as radios. */
export function OptionGroup({ label, hint, required, single, first, options, onPick }: OptionGroupProps) {
  const { t } = useTranslation();
  const id = useId();
  const satisfied = options.some(({ chosen }) => chosen);
  const roving = useRovingFocus<HTMLDivElement>("button:enabled", (to) => {
    if (single && to.ariaChecked !== "true") onPick(Number(to.dataset.id));
  });
  return (
    <div role={single ? "radiogroup" : "group"} aria-labelledby={id}>
      <div className={classes.head} id={id}>
        <strong>{label}</strong>
        <span>{hint}</span>
        <span className={classes.need} data-open={required && !satisfied}>
          {required ? t("sheet.required") : t("sheet.optional")}
        </span>
      </div>
      <div className={classes.options} {...roving}>
        {options.map((option, at) => (
          <button
            key={option.id}
            type="button"
            role={single ? "radio" : "checkbox"}
            aria-checked={option.chosen}
            data-id={option.id}
            data-autofocus={(first && (satisfied ? option.chosen : at === 0)) || undefined}
            className={classes.option}
            disabled={option.disabled}
            onClick={() => onPick(option.id)}
          >
            <span>{option.name}</span>
            {option.priceText && <span className={classes.price}>{option.priceText}</span>}
          </button>
        ))}
      </div>
    </div>
  );
}
