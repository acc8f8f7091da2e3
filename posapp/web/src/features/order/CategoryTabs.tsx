import { Skeleton } from "@mantine/core";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Category } from "@/api/types";
import classes from "./CategoryTabs.module.css";
import { hueOf } from "./hue";

interface CategoryTabsProps {
  categories: Category[];
  activeId: number | undefined;
  onPick: (id: number) => void;
}

/** One tab for each category; arrow keys move between them (ARIA's pattern for tabs). */
export function CategoryTabs({ categories, activeId, onPick }: CategoryTabsProps) {
  const { t } = useTranslation();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ inline: "nearest" });
  }, [activeId]);

  const step = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = categories.findIndex(({ id }) => id === activeId);
    const next = by && categories.at((at + by) % categories.length);
    if (!next) return;
    onPick(next.id);
    list.current?.querySelector<HTMLElement>(`[data-id="${next.id}"]`)?.focus();
  };

  if (categories.length === 0) return <Skeleton h={48} radius="xl" />;
  return (
    <div
      ref={list}
      role="tablist"
      aria-label={t("menu.categories")}
      className={classes.list}
      onKeyDown={step}
    >
      {categories.map(({ id, name }, at) => (
        <button
          key={id}
          type="button"
          role="tab"
          data-id={id}
          aria-selected={id === activeId}
          aria-controls="menu"
          tabIndex={id === activeId || (activeId === undefined && at === 0) ? 0 : -1}
          className={classes.tab}
          style={{ "--hue": hueOf(id) }}
          onClick={() => onPick(id)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
