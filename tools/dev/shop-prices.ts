import { StartError } from './start-error.js';

/** What the shop page of development sells, in the currency of the demo order's price. */
const SHOP_PRICES = [
  { id: 'shop-mug', name: 'Mug', currency: 'eur', unitAmount: 900 },
  { id: 'shop-poster', name: 'Poster', currency: 'eur', unitAmount: 1_450 },
  { id: 'shop-tote-bag', name: 'Tote bag', currency: 'eur', unitAmount: 1_200 },
];

interface Api {
  readonly apiUrl: string;
  readonly secretKey: string;
  readonly signal: AbortSignal;
}

/** Writes the shop's prices into the catalogue. One that is there stays as it is: the reader may have changed it. */
export async function writeShopPrices({ apiUrl, secretKey, signal }: Api): Promise<void> {
  const headers = { Authorization: `Bearer ${secretKey}`, 'Content-Type': 'application/json' };
  const listed = await answered(fetch(`${apiUrl}/v1/prices`, { headers, signal }));
  const { data } = (await listed.json()) as { data: { id: string }[] };
  const missing = SHOP_PRICES.filter(({ id }) => data.every((price) => price.id !== id));
  for (const { id, ...price } of missing) {
    await answered(fetch(`${apiUrl}/v1/prices/${id}`, { method: 'PUT', headers, signal, body: JSON.stringify(price) }));
  }
}

async function answered(sent: Promise<Response>): Promise<Response> {
  const response = await sent;
  if (!response.ok) throw new StartError(`The API answered ${response.status} to the shop's prices: ${await response.text()}`);
  return response;
}
