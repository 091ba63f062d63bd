export { type Config, ConfigError, loadConfig, type Mode } from './config.js';
export { redisNodes } from './redis-url.js';
export { type Setting, SETTINGS } from './settings.js';
