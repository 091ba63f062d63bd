/** Injection tokens of what is no class. */
export const CONFIG = Symbol('Config');
export const LOGGER = Symbol('Logger');
export const CLOCK = Symbol('Clock');
export const ENTROPY = Symbol('Entropy');
export const ORDERS = Symbol('Orders');
