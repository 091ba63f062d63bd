export { censored, createLogger, type Logger } from './logger.js';
export { nestLogger } from './nest-logger.js';
