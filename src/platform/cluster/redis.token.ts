/** `RedisClients`, or null without REDIS_URL: then this is the only node. */
export const REDIS = Symbol('REDIS');
