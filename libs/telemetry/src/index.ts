export { correlate, correlation } from './correlation.js';
export { logWarnings } from './log-warnings.js';
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
