// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import type { Config } from '../config.ts'

/**
 * Everything comes from this origin: no inline script or style, no frame, no picture, no form to elsewhere. A hole in
 * the escaping would then still not run anything.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** When to come again, of what passes by itself: as API and npm's protocol say it. */
export function retryHeaders(trouble: Problem | undefined): Record<string, string> {
  const { status, data } = trouble ?? {}
  const seconds = data?.['retryAfter'] ?? (status === 503 ? 5 : undefined)
  return seconds === undefined ? {} : { 'retry-after': String(seconds) }
}

/** Headers of every page. A page is made for one person, now, so no cache keeps it. */
export function pageHeaders(config: Pick<Config, 'publicUrl'>): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    // `no-referrer` would turn the Origin of our own forms into `null`.
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'cache-control': 'no-store',
    ...(config.publicUrl.startsWith('https://') ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  }
}
