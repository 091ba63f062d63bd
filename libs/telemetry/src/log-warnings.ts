import { type Logger } from './logger.js';

/**
 * From now on logs what Node or a package warns this process of, such as a deprecated call, once each as they come. Node itself would
 * write it to standard error as bare text, which nobody who reads the log as JSON could read. To be called once, first thing.
 */
export function logWarnings(logger: Logger): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => logger.warn({ error: warning }, 'Node warned'));
}
