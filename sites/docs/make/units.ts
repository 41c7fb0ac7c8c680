/**
 * What plain numbers count. Durations and sizes need no entry: their schemas say so. A number without an entry fails the
 * build, and an entry without an option fails a test.
 */
export const numberUnits: Readonly<Record<string, string>> = {
  'access-log.sample': 'share',
  'cache.maxEntries': 'URLs',
  'compression.keptLevels.br': 'level',
  'compression.keptLevels.gzip': 'level',
  'compression.keptLevels.zstd': 'level',
  'compression.levels.br': 'level',
  'compression.levels.gzip': 'level',
  'compression.levels.zstd': 'level',
  'compression.maxStreams': 'streams',
  'config.limits.bodyMinRate': 'bytes a second',
  'config.limits.connectionsPerClient': 'connections',
  'config.limits.headers': 'fields',
  'config.limits.maxConnections': 'connections',
  'config.limits.pipelineDepth': 'requests',
  'config.limits.requestsPerConnection': 'requests',
  'config.listen[].fd': 'descriptor',
  'config.listen[].mode': 'permissions',
  'config.listen[].port': 'port',
  'inspector.perSecond': 'requests',
  'rate-limit.burst': 'requests',
  'rate-limit.ipv6Prefix': 'bits',
  'rate-limit.limit': 'requests',
  'rate-limit.maxClients': 'clients',
  'tls.maxHandshakes': 'handshakes',
  'tls.redirect': 'port',
  'trace.keep': 'traces',
  'trace.sample': 'share',
}
