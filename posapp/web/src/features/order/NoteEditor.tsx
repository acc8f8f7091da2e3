import { Button, Group, TextInput } from "@mantine/core";
import { type SyntheticEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Sheet } from "@/components/Sheet";

interface NoteEditorProps {
  title: string;
  note: string;
  onClose: () => void;
  onSave: (note: string) => void;
}

export function NoteEditor({ title, note, onClose, onSave }: NoteEditorProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(note);
  const save = (event: SyntheticEvent) => {
    event.preventDefault();
    onSave(text.trim());
    onClose();
  };
  return (
    <Sheet opened onClose={onClose} width={480} title={title}>
      <form onSubmit={save}>
        <TextInput
          aria-label={title}
          placeholder={t("sheet.notePlaceholder")}
          maxLength={200}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          data-autofocus
        />
        <Group justify="flex-end" mt="md">
          <Button type="submit">{t("draft.save")}</Button>
        </Group>
      </form>
    </Sheet>
  );
}
