/** One event on its way to one endpoint. Its id is the event's and the endpoint's. */
export interface Delivery {
  id: string;
  created: number;
  event: string;
  /** A webhook endpoint's id, or the name of the endpoint every account of the simulator has. */
  endpoint: string;
  state: 'pending' | 'delivered' | 'failed';
  attempts: number;
}

export const COMMON_ENDPOINT = 'we_simulator';
