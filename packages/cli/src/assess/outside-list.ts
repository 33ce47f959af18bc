// SPDX-License-Identifier: Apache-2.0
import { disclosure } from './outside/disclosure.ts'
import { log, osv } from './outside/log-answers.ts'
import {
  attestations,
  auditAnswers,
  pinned,
  signatures,
  stages,
  tokenExchange,
  webLogin,
} from './outside/npm-answers.ts'
import type { OutsideProbe } from './outside.ts'

/** Everything that can be looked at from outside without harm. */
export const outsideProbes: readonly OutsideProbe[] = [
  webLogin,
  tokenExchange,
  attestations,
  disclosure,
  log,
  osv,
  pinned,
  auditAnswers,
  signatures,
  stages,
]
