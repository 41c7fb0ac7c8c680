import type { ScopeOptions } from '../plugin.ts'

/** What scopes narrow a plugin to, as listings show it: ` (only /admin/* GET)`; empty for none. */
export function scopeText(scopes: readonly ScopeOptions[]): string {
  const parts = scopes.flatMap(scope => [scope.path ?? [], scope.methods ?? [], scope.hosts ?? []].flat(2))
  return parts.length === 0 ? '' : ` (only ${parts.join(' ')})`
}
