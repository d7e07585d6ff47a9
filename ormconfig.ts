import { cliDataSource } from './src/platform/database/cli-data-source.js';
import { loadConfig } from './src/platform/config/config.js';

export default await cliDataSource(loadConfig());
