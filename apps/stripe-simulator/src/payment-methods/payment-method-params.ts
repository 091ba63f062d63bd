import { ADDRESS } from '../customers/address-params.js';
import { ignored, integer, metadata, object, oneOf, required, string, unsettable } from '../http/params.js';

const CARD = {
  cvc: string(),
  exp_month: integer(),
  exp_year: integer(),
  networks: ignored(),
  number: string(),
  token: string(),
};

/** What describes a payment method: the parameters of its creation, and `payment_method_data` of an intent. */
export const PAYMENT_METHOD_DATA = {
  allow_redisplay: oneOf('always', 'limited', 'unspecified'),
  billing_details: object({
    address: unsettable(object(ADDRESS)),
    email: unsettable(string()),
    name: unsettable(string()),
    phone: unsettable(string()),
    tax_id: unsettable(string()),
  }),
  card: object(CARD),
  metadata: metadata(),
  radar_options: ignored(),
  sepa_debit: object({ iban: required(string()) }),
  type: oneOf('card', 'sepa_debit', 'us_bank_account'),
  us_bank_account: object({
    account_holder_type: oneOf('company', 'individual'),
    account_number: string(),
    account_type: oneOf('checking', 'savings'),
    financial_connections_account: string(),
    routing_number: string(),
  }),
};
