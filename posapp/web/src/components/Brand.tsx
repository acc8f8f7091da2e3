import classes from "./Brand.module.css";

/** The flame of the house; decoration, so silent for screen readers. */
export function Flame({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="92 84 328 380" aria-hidden="true">
      <path
        className={classes.flame}
        d="M262 92c14 62-58 92-78 158-9 31-4 58 8 80-25-12-39-37-42-63-28 34-38 84-16 126 25 47 76 67 122 67 74 0 138-48 138-126 0-58-33-89-43-127-12 15-18 33-17 54-33-36-16-113-72-169z"
      />
      <path
        className={classes.core}
        d="M259 262c8 42-43 56-43 104 0 34 22 60 48 60 31 0 53-25 53-57 0-24-13-38-20-56-7 9-11 18-11 29-17-20-8-55-27-80z"
      />
    </svg>
  );
}
