import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { type SyntheticEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import { ErrorNote } from "@/components/ErrorNote";
import { DemoLogins } from "./DemoLogins";
import { type Credentials, useLogin } from "./queries";

export function LoginForm() {
  const { t } = useTranslation();
  const [credentials, setCredentials] = useState<Credentials>({ username: "", password: "" });
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
        <Title order={2}>{t("auth.title")}</Title>
        <Text c="dimmed">{t("auth.hint")}</Text>
      </div>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={t("auth.username")}
            value={credentials.username}
            onChange={(event) => change("username", event.currentTarget.value)}
            autoComplete="username"
            autoCapitalize="none"
            autoFocus
            required
            withAsterisk={false}
          />
          <PasswordInput
            label={t("auth.password")}
            value={credentials.password}
            onChange={(event) => change("password", event.currentTarget.value)}
            autoComplete="current-password"
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
    const seconds = error.retryAfter ?? 60;
    return <Alert color="ember" role="alert" title={t("auth.tooMany", { seconds })} />;
  }
  return <ErrorNote error={error} />;
}
