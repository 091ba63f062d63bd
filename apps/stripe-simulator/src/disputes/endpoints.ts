import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { emit } from '../events/emit.js';
import { LIST_PARAMS, listPage, whereEquals } from '../http/lists.js';
import { boolean, changedMetadata, ignored, metadata, object, oneOf, type Param, string, unsettable } from '../http/params.js';
import { missingResource } from '../http/stripe-error.js';
import { closeDispute } from './disputes.js';
import { type Dispute, EVIDENCE_FIELDS, type EvidenceField } from './dispute.js';

const EVIDENCE = {
  ...(Object.fromEntries(EVIDENCE_FIELDS.map((field) => [field, unsettable(string())])) as Record<
    EvidenceField,
    Param<string | null | undefined>
  >),
  appeal: ignored(),
  enhanced_evidence: ignored(),
};

/** Stripe's test evidence: these words as `uncategorized_text` decide the dispute. */
const DECIDING_EVIDENCE: Readonly<Record<string, 'won' | 'lost'>> = { winning_evidence: 'won', losing_evidence: 'lost' };

export const DISPUTE_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/disputes',
    params: { ...LIST_PARAMS, charge: string(), payment_intent: string() },
    run: (call, params) =>
      listPage({
        collection: call.account.all('disputes'),
        params,
        url: '/v1/disputes',
        kind: 'dispute',
        where: whereEquals<Dispute>('charge', params.charge) ?? whereEquals<Dispute>('payment_intent', params.payment_intent),
        filter: (dispute) =>
          (params.charge === undefined || dispute.charge === params.charge) &&
          (params.payment_intent === undefined || dispute.payment_intent === params.payment_intent),
      }),
  }),
  endpoint({ method: 'GET', path: '/v1/disputes/:id', params: {}, run: (call, _, { id }) => existing(call, id) }),
  endpoint({
    method: 'POST',
    path: '/v1/disputes/:id',
    params: {
      evidence: object(EVIDENCE),
      intended_submission_method: oneOf('manual', 'prefer_manual', 'prefer_smart_disputes', 'smart_disputes'),
      metadata: metadata(),
      submit: boolean(),
    },
    run: (call, params, { id }) => update(call, existing(call, id), params),
  }),
  endpoint({
    method: 'POST',
    path: '/v1/disputes/:id/close',
    params: {},
    run: (call, _, { id }) => closeDispute(call, existing(call, id), 'lost'),
  }),
];

function update(
  call: Call,
  before: Dispute,
  params: {
    evidence: Partial<Record<EvidenceField, string | null | undefined>> | undefined;
    metadata: Record<string, string> | null | undefined;
    submit: boolean | undefined;
  },
): Dispute {
  const given = EVIDENCE_FIELDS.flatMap((field) =>
    params.evidence?.[field] === undefined ? [] : [[field, params.evidence[field]] as const],
  );
  const evidence = { ...before.evidence, ...Object.fromEntries(given) };
  const submitted = given.length > 0 && params.submit !== false;
  const status =
    before.status === 'needs_response'
      ? 'under_review'
      : before.status === 'warning_needs_response'
        ? 'warning_under_review'
        : before.status;
  const updated = call.account.save('disputes', {
    ...before,
    evidence,
    evidence_details: {
      ...before.evidence_details,
      has_evidence: EVIDENCE_FIELDS.some((field) => evidence[field] !== null),
      submission_count: before.evidence_details.submission_count + (submitted ? 1 : 0),
      submission_method: submitted ? 'manual' : before.evidence_details.submission_method,
    },
    metadata: changedMetadata(before.metadata, params.metadata),
    status: submitted ? status : before.status,
  });
  emit(call, 'charge.dispute.updated', updated, before);
  const decided = submitted ? DECIDING_EVIDENCE[evidence.uncategorized_text ?? ''] : undefined;
  return decided === undefined ? updated : closeDispute(call, updated, decided);
}

function existing(call: Call, id: string): Dispute {
  const dispute = call.account.find('disputes', id);
  if (dispute === undefined) throw missingResource('dispute', id, 'dispute');
  return dispute;
}
