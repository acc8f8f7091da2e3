import { Fragment, type ReactNode, useId } from "react";
import classes from "./Choice.module.css";

interface ChoiceProps<Value extends string> {
  /** What is chosen, for who hears the screen. */
  label: string;
  value: Value;
  options: readonly { value: Value; label: ReactNode }[];
  disabled: boolean;
  onChange: (value: Value) => void;
}

/** One of a few, side by side. */
export function Choice<Value extends string>({ label, value, options, disabled, onChange }: ChoiceProps<Value>) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className={classes.choice} data-disabled={disabled || undefined}>
      {options.map((option) => (
        <Fragment key={option.value}>
          <input
            type="radio"
            id={name + option.value}
            name={name}
            className={classes.radio}
            checked={option.value === value}
            disabled={disabled}
            onChange={() => onChange(option.value)}
          />
          <label
            htmlFor={name + option.value}
            className={classes.option}
            data-active={option.value === value || undefined}
          >
            {option.label}
          </label>
        </Fragment>
      ))}
    </div>
  );
}
