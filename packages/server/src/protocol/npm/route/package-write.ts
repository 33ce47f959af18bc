// SPDX-License-Identifier: Apache-2.0
import { type PackageName, problem } from '@holdfast/core'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'

export async function changeDocument(
  _ports: Ports,
  _call: Call,
  _name: PackageName,
  _document: Record<string, unknown>,
): Promise<Answer> {
  throw problem('not-found')
}
