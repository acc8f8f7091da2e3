import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useInterval } from "@mantine/hooks";
import { type SyntheticEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import { ErrorNote } from "@/components/ErrorNote";
import { DemoLogins } from "./DemoLogins";
import { type Credentials, useLogin } from "./queries";

interface LoginFormProps {
  /** Where nothing above it says what it is. */
  title?: string;
  hint: string;
  /** Who is expected, and may be somebody else after all. */
  username?: string;
}

export function LoginForm({ title, hint, username = "" }: LoginFormProps) {
  const { t } = useTranslation();
  const [credentials, setCredentials] = useState<Credentials>({ username, password: "" });
  const login = useLogin();
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    login.mutate(credentials);
  };
  const change = (field: keyof Credentials, value: string) =>
    setCredentials((before) => ({ ...before, [field]: value }));

  return (
    <Stack w="100%" maw={400} gap="lg">
      <div>
        {title && <Title order={2}>{title}</Title>}
        <Text c="dimmed">{hint}</Text>
      </div>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={t("auth.username")}
            value={credentials.username}
            onChange={(event) => change("username", event.currentTarget.value)}
            autoComplete="username"
            autoCapitalize="none"
            autoFocus={!username}
            required
            withAsterisk={false}
          />
          <PasswordInput
            label={t("auth.password")}
            value={credentials.password}
            onChange={(event) => change("password", event.currentTarget.value)}
            autoComplete="current-password"
            autoFocus={Boolean(username)}
            rightSectionWidth={48}
            visibilityToggleButtonProps={{ tabIndex: 0, "aria-label": t("auth.show") }}
            required
            withAsterisk={false}
          />
          {login.isError && <LoginError error={login.error} />}
          <Button type="submit" size="lg" mt="xs" loading={login.isPending}>
            {t("auth.submit")}
          </Button>
        </Stack>
      </form>
      <DemoLogins onPick={setCredentials} />
    </Stack>
  );
}

function LoginError({ error }: { error: Error }) {
  const { t } = useTranslation();
  const status = error instanceof ApiError ? error.status : null;
  if (status === 401) return <Alert color="ember" role="alert" title={t("auth.wrong")} />;
  if (error instanceof ApiError && status === 429) {
    return <TooMany key={error.requestId} seconds={error.retryAfter ?? 60} />;
  }
  return <ErrorNote error={error} />;
}

/** Counts down to the moment from which another try makes sense. */
function TooMany({ seconds }: { seconds: number }) {
  const { t } = useTranslation();
  const [left, setLeft] = useState(seconds);
  useInterval(() => setLeft((before) => Math.max(0, before - 1)), 1000, { autoInvoke: true });
  const title = left > 0 ? t("auth.tooMany", { seconds: left }) : t("auth.tryAgain");
  return (
    <Alert
      color="ember"
      role="alert"
      title={
        <span role="timer" aria-live="off">
          {title}
        </span>
      }
    />
  );
}
