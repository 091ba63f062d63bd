export { correlate, correlation } from './correlation.js';
export { censored, createLogger, type Logger } from './logger.js';
export {
  countDuplicate,
  countEventEnd,
  countOrderMove,
  countRefusedFence,
  observeHttpRequest,
  observeStripeCall,
  renderMetrics,
  type StripeOutcome,
} from './metrics.js';
export { nestLogger } from './nest-logger.js';
export { stopOnSignal } from './stop-on-signal.js';
