import { Alert, Button, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleQuestionMark, Hourglass, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/error";
import { afterSale } from "@/api/keys";
import type { Outcome } from "@/api/types";
import { ApprovalSheet } from "@/components/ApprovalSheet";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import type { Outgoing } from "@/lib/database";
import { submit, takeOutcome, useAttempt } from "@/lib/outbox";
import { useAllOutgoing } from "@/lib/outgoing";
import { clock } from "@/lib/time";
import { Described } from "./Described";
import classes from "./WaitingPage.module.css";

/** What was sent and never answered: what became of it, sending it again, or giving it up. */
export function WaitingPage() {
  const { t } = useTranslation();
  const all = useAllOutgoing();
  const [told, setTold] = useState<string | null>(null);
  return (
    <div className={classes.page}>
      <Title order={1} fz={32}>
        {t("waiting.title")}
      </Title>
      {told && <Alert color="leaf" role="status" title={told} />}
      {all.length === 0 && <Empty icon={<Hourglass size={44} />} title={t("waiting.none")} />}
      <ul className={classes.list}>
        {all.map((outgoing) => (
          <WaitingRequest key={outgoing.key} outgoing={outgoing} onTold={setTold} />
        ))}
      </ul>
    </div>
  );
}

interface WaitingRequestProps {
  outgoing: Outgoing;
  onTold: (what: string) => void;
}

function WaitingRequest({ outgoing, onTold }: WaitingRequestProps) {
  const { t } = useTranslation();
  const { sending } = useAttempt(outgoing.slot);
  const [givingUp, setGivingUp] = useState(false);
  const take = async (outcome: Outcome): Promise<Outcome> => {
    if (outcome.state !== "unknown") {
      await takeOutcome(outgoing, outcome);
      onTold(t(`waiting.${outcome.state}`));
    }
    return outcome;
  };
  const ask = useMutation({ mutationFn: () => outcomeOf(outgoing.key).then(take) });
  return (
    <li className={classes.request}>
      <strong>
        <Described outgoing={outgoing} />
      </strong>
      <span className={classes.facts}>
        {outgoing.since && t("waiting.since", { time: clock(outgoing.since) })}{" "}
        {outgoing.by && t("waiting.by", { name: outgoing.by.name })}
      </span>
      {ask.data?.state === "unknown" && (
        <Alert color="wood" role="status" title={t("waiting.unknown")} />
      )}
      {outgoing.refusal && (
        <ErrorNote error={new ApiError(outgoing.refusal.status, outgoing.refusal.detail, outgoing.refusal)} />
      )}
      {ask.isError && <ErrorNote error={ask.error} />}
      <div className={classes.acts}>
        <Button
          leftSection={<CircleQuestionMark size={20} />}
          loading={ask.isPending}
          onClick={() => ask.mutate()}
        >
          {t("waiting.ask")}
        </Button>
        <Button
          variant="default"
          leftSection={<Send size={20} />}
          loading={sending}
          onClick={() => void submit(outgoing.slot)}
        >
          {t("waiting.send")}
        </Button>
        <Button
          variant="subtle"
          color="wood"
          leftSection={<Trash2 size={20} />}
          onClick={() => setGivingUp(true)}
        >
          {t("waiting.giveUp")}
        </Button>
      </div>
      {givingUp && (
        <GiveUpSheet
          outgoing={outgoing}
          onClose={() => setGivingUp(false)}
          onDone={(outcome) => void take(outcome)}
        />
      )}
    </li>
  );
}

const outcomeOf = (key: string): Promise<Outcome> =>
  unwrap(api.GET("/api/v1/outcomes/{key}", { params: { path: { key } } }));

interface GiveUpSheetProps {
  outgoing: Outgoing;
  onDone: (outcome: Outcome) => void;
  onClose: () => void;
}

/** The server refuses it from now on, should it still arrive: only then it is forgotten here. */
function GiveUpSheet({ outgoing, onDone, onClose }: GiveUpSheetProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return (
    <ApprovalSheet
      title={t("waiting.giveUp")}
      hint={t("waiting.giveUpHint")}
      reasons={[t("reasons.guestGone"), t("reasons.writtenAnew")]}
      confirm={t("waiting.giveUp")}
      act={(key, body) =>
        unwrap(
          api.POST("/api/v1/outcomes/{key}/give-up", {
            params: { path: { key: outgoing.key }, header: { "Idempotency-Key": key } },
            body,
          }),
        )
      }
      onDone={(outcome) => {
        afterSale(queries);
        onClose();
        onDone(outcome);
      }}
      onClose={onClose}
    />
  );
}
