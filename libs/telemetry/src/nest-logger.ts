import { type LoggerService } from '@nestjs/common';
import { type Logger } from './logger.js';

/** Lets the framework log through ours. What it announces while it starts is of use only when debugging. */
export function nestLogger(logger: Logger): LoggerService {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: unknown, ...details: unknown[]): void => {
      const error = message instanceof Error ? message : details.find((detail) => detail instanceof Error);
      logger[level](error === undefined ? { details } : { details, error }, String(message));
    };
  return { log: write('debug'), error: write('error'), warn: write('warn'), debug: write('debug'), verbose: write('debug') };
}
