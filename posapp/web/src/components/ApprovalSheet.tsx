import { Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type SyntheticEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { v4 as uuid } from "uuid";
import { ApiError } from "@/api/error";
import type { Approval } from "@/api/types";
import { ErrorNote } from "./ErrorNote";
import { SecondTapGuard } from "./SecondTapGuard";
import { Sheet } from "./Sheet";

interface ApprovedBody {
  reason: string;
  approval?: Approval;
}

interface ApprovalSheetProps<T> {
  title: string;
  hint: string;
  /** What is mostly said, to be tapped. */
  reasons: string[];
  confirm: string;
  act: (key: string, body: ApprovedBody) => Promise<T>;
  onDone: (result: T) => void;
  onClose: () => void;
}

const NOBODY: Approval = { username: "", password: "" };

/**
 * An act that needs a reason and a manager's word: the server asks for a password where the role of
 * who is signed in does not do, and it is typed in place. It stands nowhere but here.
 */
export function ApprovalSheet<T>(props: ApprovalSheetProps<T>) {
  const { t } = useTranslation();
  const { title, hint, reasons, confirm, act, onDone, onClose } = props;
  const [reason, setReason] = useState("");
  const [approval, setApproval] = useState(NOBODY);
  const keyOf = useKeyByContent();
  const run = useMutation({
    mutationFn: (body: ApprovedBody) =>
      act(keyOf(`${body.reason}\n${body.approval?.username ?? ""}`), body),
    onSuccess: onDone,
  });
  const error = run.error instanceof ApiError ? run.error : null;
  const [asked, setAsked] = useState(false);
  const needsManager = asked || error?.question === "approval";
  if (needsManager && !asked) setAsked(true);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!run.isPending) run.mutate(needsManager ? { reason, approval } : { reason });
  };

  return (
    <Sheet width={520} title={title} onClose={onClose}>
      <SecondTapGuard>
        <form onSubmit={submit}>
          <Stack>
            <Text>{hint}</Text>
            <Group gap="xs">
              {reasons.map((text) => (
                <Button
                  key={text}
                  px="md"
                  variant={text === reason ? "light" : "default"}
                  aria-pressed={text === reason}
                  onClick={() => setReason(text)}
                >
                  {text}
                </Button>
              ))}
            </Group>
            <TextInput
              label={t("approval.reason")}
              value={reason}
              minLength={3}
              maxLength={200}
              required
              withAsterisk={false}
              data-autofocus
              onChange={({ currentTarget }) => setReason(currentTarget.value)}
            />
            {needsManager && <Manager approval={approval} onChange={setApproval} />}
            {run.isError && !(error?.question === "approval" && error.code === "approval_needed") && (
              <ErrorNote error={run.error} />
            )}
            <Button type="submit" size="lg" loading={run.isPending}>
              {confirm}
            </Button>
          </Stack>
        </form>
      </SecondTapGuard>
    </Sheet>
  );
}

interface ManagerProps {
  approval: Approval;
  onChange: (approval: Approval) => void;
}

function Manager({ approval, onChange }: ManagerProps) {
  const { t } = useTranslation();
  return (
    <Stack gap="xs" role="group" aria-label={t("approval.manager")}>
      <Text fw={600}>{t("approval.manager")}</Text>
      <TextInput
        label={t("auth.username")}
        value={approval.username}
        autoCapitalize="none"
        autoComplete="off"
        autoFocus
        required
        withAsterisk={false}
        onChange={({ currentTarget }) => onChange({ ...approval, username: currentTarget.value })}
      />
      <PasswordInput
        label={t("auth.password")}
        value={approval.password}
        autoComplete="off"
        rightSectionWidth={48}
        visibilityToggleButtonProps={{ tabIndex: 0, "aria-label": t("auth.show") }}
        required
        withAsterisk={false}
        onChange={({ currentTarget }) => onChange({ ...approval, password: currentTarget.value })}
      />
    </Stack>
  );
}

/** The same content keeps its key through every try; another content is another act. */
function useKeyByContent(): (content: string) => string {
  const known = useRef({ content: "", key: "" });
  return (content) => {
    if (known.current.content !== content) known.current = { content, key: uuid() };
    return known.current.key;
  };
}
