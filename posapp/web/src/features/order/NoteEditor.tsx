import { Button, Group, TextInput } from "@mantine/core";
import { type SyntheticEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Sheet } from "@/components/Sheet";

interface NoteEditorProps {
  title: string;
  note: string;
  /** Is told what was typed, so that it is there when the editor is opened again. */
  onClose: (text: string) => void;
  onSave: (note: string) => void;
}

export function NoteEditor({ title, note, onClose, onSave }: NoteEditorProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(note);
  const save = (event: SyntheticEvent) => {
    event.preventDefault();
    onSave(text.trim());
  };
  return (
    <Sheet onClose={() => onClose(text)} width={480} title={title}>
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
