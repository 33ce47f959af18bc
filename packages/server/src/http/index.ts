// SPDX-License-Identifier: Apache-2.0

export { addressReader } from './address.ts'
export { type AtomEntry, type AtomFeed, answerAtom } from './atom.ts'
export type { Answer, Call } from './call.ts'
export { type Identify, openIdentify } from './identify.ts'
export { parseJson } from './json.ts'
export { type Metrics, openMetrics } from './metrics.ts'
export { operationMount } from './operation.ts'
export { type Log, loggedPath, openLog } from './request-log.ts'
export { sendBytes } from './send-bytes.ts'
export {
  type HotAnswer,
  type HotPath,
  type HttpLimits,
  type HttpParts,
  type HttpServer,
  type Mount,
  openHttp,
} from './server.ts'
export { formatSessionCookie } from './session-cookie.ts'
export { openTurns, type Turns } from './turns.ts'
