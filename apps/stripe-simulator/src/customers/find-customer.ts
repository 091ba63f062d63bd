import type { Account } from '../core/account.js';
import type { Customer, DeletedCustomer } from './customer.js';

/** A customer to look at: deleted ones can still be seen, where `account.find` knows only those that can be charged. */
export function findCustomer(account: Account, id: string): Customer | DeletedCustomer | undefined {
  const customer = account.find('customers', id);
  if (customer !== undefined || account.find('deleted_customers', id) === undefined) return customer;
  return { id, object: 'customer', deleted: true };
}
