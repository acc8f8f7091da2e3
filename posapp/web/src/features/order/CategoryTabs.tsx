import { Skeleton } from "@mantine/core";
import { type KeyboardEvent, type WheelEvent, memo, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Category } from "@/api/types";
import classes from "./CategoryTabs.module.css";
import { hueOf } from "./hue";
import { SEARCH } from "./search";

interface CategoryTabsProps {
  categories: Category[];
  activeId: number | undefined;
  onPick: (id: number) => void;
}

/** The place to which a key leads from place `at` of `count`, or undefined. */
function placeAfter(key: string, at: number, count: number): number | undefined {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
  return by && (at + by + count) % count;
}

/** One tab for each category; arrow keys, Home and End move between them (ARIA's pattern for tabs). */
export const CategoryTabs = memo(function CategoryTabs({ categories, activeId, onPick }: CategoryTabsProps) {
  const { t } = useTranslation();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const active = list.current?.querySelector("[aria-selected=true]");
    // In the middle, so that those beside it show as well.
    active?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [activeId]);

  const step = (event: KeyboardEvent) => {
    const at = categories.findIndex(({ id }) => id === activeId);
    const next = categories[placeAfter(event.key, at, categories.length) ?? -1];
    if (!next) return;
    event.preventDefault();
    onPick(next.id);
    list.current?.querySelector<HTMLElement>(`[data-id="${next.id}"]`)?.focus();
  };
  const roll = ({ currentTarget, deltaX, deltaY }: WheelEvent) => {
    const sideways = currentTarget.scrollWidth > currentTarget.clientWidth;
    if (sideways && deltaX === 0) currentTarget.scrollLeft += deltaY;
  };

  if (categories.length === 0) return <Skeleton h={48} radius="xl" />;
  return (
    <div
      ref={list}
      role="tablist"
      aria-label={t("menu.categories")}
      className={classes.list}
      onKeyDown={step}
      onWheel={roll}
    >
      {categories.map(({ id, name }, at) => (
        <button
          key={id}
          type="button"
          role="tab"
          data-id={id}
          aria-selected={id === activeId}
          aria-controls="menu"
          tabIndex={id === activeId || (activeId === SEARCH && at === 0) ? 0 : -1}
          className={classes.tab}
          style={{ "--hue": hueOf(id) }}
          onClick={() => onPick(id)}
        >
          {name}
        </button>
      ))}
    </div>
  );
});
