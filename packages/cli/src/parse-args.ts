// SPDX-License-Identifier: Apache-2.0
import { parseArgs as parse } from 'node:util'
import { findNearestWord } from '@holdfast/core'
import { UsageError } from './usage-error.ts'

/** `parseArgs` of Node, with words for people where it refuses: `UsageError`, and which option was likely meant. */
export const parseArgs: typeof parse = config => {
  try {
    return parse(config)
  } catch (error) {
    throw explain(error, Object.keys(config?.options ?? {}))
  }
}

function explain(error: unknown, options: readonly string[]): unknown {
  if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('ERR_PARSE_ARGS'))
    return error
  const help = 'Add --help to the command to see its options.'
  const typed = /^Unknown option '(-{1,2}([^']*))'/.exec(error.message)
  const meant = typed?.[2] && findNearestWord(typed[2], options)
  return new UsageError(
    typed === null ? error.message : `there is no option ${typed[1]}`,
    meant ? `Did you mean --${meant}? ${help}` : help,
  )
}
