import { Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Sheet.module.css";

interface SheetProps {
  opened: boolean;
  title: string;
  /** Pixels, on a screen that has them. */
  width: number;
  onClose: () => void;
  children: ReactNode;
}

/** A dialog over the screen until it is confirmed or closed (Escape, the cross, a tap beside it). */
export function Sheet({ opened, title, width, onClose, children }: SheetProps) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size={width}
      overlayProps={{ color: "#231813", backgroundOpacity: 0.5 }}
      classNames={{ title: classes.title ?? "" }}
      closeButtonProps={{ size: 48, iconSize: 24, "aria-label": t("app.close") }}
    >
      {children}
    </Modal>
  );
}
