export { type Config, ConfigError, loadConfig, type Mode } from './config.js';
export { type Setting, SETTINGS } from './settings.js';
