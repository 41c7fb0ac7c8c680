export { AddressList, canonicalAddress, isAddress, problemWithAddress } from './address-list.ts'
export type { RequestBody } from './body.ts'
export type { BodySource } from './body-flow.ts'
export { Chain, type Chained } from './chain.ts'
export { wallTime } from './clock.ts'
export { comesFrom } from './comes-from.ts'
export type { Preconditions } from './conditional.ts'
export { defineConfig, defineSite } from './config/define.ts'
export { ConfigError } from './config/errors.ts'
export { expected } from './config/expected.ts'
export { parseLimits } from './config/parse-limits.ts'
export { parseHosts, parseScope, readRuleOption } from './config/parse-scope.ts'
export { isPath } from './config/paths.ts'
export { readOptions } from './config/read-options.ts'
export { didYouMean } from './config/suggest.ts'
export type {
  Config,
  ConfigContext,
  ConfigExport,
  Duration,
  ListenConfig,
  ListenerLimitsConfig,
  ReloadConfig,
  ServerLimitsConfig,
  SiteConfig,
  SiteLimitsConfig,
  Size,
  StopConfig,
  TrustedProxiesConfig,
} from './config/types.ts'
export { isDuration, isSize, parseDuration, parseSize } from './config/units.ts'
export { Destination, type Reached, readDestination } from './destination.ts'
export {
  type Diagnostic,
  HttpError,
  type HttpErrorOptions,
  printable,
  type Refusal,
  type RefusalId,
  type Refused,
  reasonPhrase,
  refusals,
} from './errors.ts'
export { escapeHtml } from './escape-html.ts'
export type { EventsContext, EventsSource } from './event-run.ts'
export type { EventsInit } from './event-stream.ts'
export type { ServerEvent } from './event-text.ts'
export { isRepresentationField } from './field-rules.ts'
export { type FileIdentity, FileSlice } from './file-slice.ts'
export type { FormLimits, FormPart } from './forms.ts'
export { type HeadersInit, HttpHeaders } from './headers.ts'
export type {
  AsyncTaps,
  ConnectionOwner,
  Outcome,
  ServerHooks,
  SiteHooks,
  StagedOptions,
  SyncTaps,
  TapOptions,
} from './hooks.ts'
export type { InjectedResponse, InjectOptions } from './inject.ts'
export type { Keep, KeepOptions, Reload } from './keep.ts'
export type { ExchangeLimits, ListenerLimits } from './limits.ts'
export type { ConnectionInfo, Peer, TlsInfo } from './listener.ts'
export type { Log } from './log.ts'
export {
  canonicalPath,
  canonicalPattern,
  decodeSegment,
  encodeSegment,
  isCanonicalPath,
  PathError,
} from './path.ts'
export { type PathPattern, type PatternPiece, readPattern } from './pattern.ts'
export { type PatternMatch, PatternTable } from './pattern-table.ts'
export type { Agreed, PeerListener, Peers } from './peers.ts'
export { type Place, placeText } from './place.ts'
export {
  definePlugin,
  type PluginDefinition,
  type PluginEntry,
  type PluginFactory,
  type PluginItem,
  type PluginServer,
  type PluginSite,
  type Plugins,
  type ScopeEntry,
  type ScopeOptions,
  type StandardIssue,
  type StandardSchema,
  scope,
} from './plugin.ts'
export { ownCopy } from './read-buffers.ts'
export { remembered } from './remembered.ts'
export { HttpRequest } from './request.ts'
export type { RequestGuard } from './request-guard.ts'
export type { RequestInit } from './request-init.ts'
export {
  type ErrorInit,
  HttpResponse,
  type ReadOptions,
  type ResponseInit,
  type StreamInit,
  type Trailers,
  type UpgradeHandler,
  type UpgradeOptions,
} from './response.ts'
export {
  LazyBody,
  type OwnedBody,
  type Produced,
  type Purpose,
  pieces,
  type ResponseBody,
} from './response-body.ts'
export type { RequestTest } from './scope.ts'
export { createServer, type ListeningAddress, type Server, type ServerOptions } from './server.ts'
export { sharedTaps } from './shared-taps.ts'
export type { Sink } from './sink.ts'
export { ROOT_SITE } from './site.ts'
export {
  type CacheService,
  type CacheStats,
  type HealthCheck,
  type Metric,
  type MetricSample,
  type Offers,
  type Slot,
  type SlotHolder,
  Slots,
  slot,
} from './slots.ts'
export { Connect, Deliver, Handle, Transform } from './stages.ts'
export type { ConnectionLimit, ServerStats } from './stats.ts'
export type { Tap } from './tap.ts'
export { TextTable } from './text-table.ts'
export { isFromThisMachine, isOfAnotherPage, namesThisMachine } from './this-machine.ts'
export { maskTrace } from './trace/mask-fields.ts'
export type { Tracer } from './trace/tracing.ts'
export type {
  KernelStep,
  RequestTrace,
  TapStep,
  TraceChange,
  TracedAnswer,
  TracedBody,
  TracedField,
  TracedRequest,
  TracedSite,
  TraceRule,
  TraceSource,
  TraceStep,
} from './trace/types.ts'
export type { ForwardedField } from './trusted-proxies.ts'
