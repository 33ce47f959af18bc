// SPDX-License-Identifier: Apache-2.0

/** Wrong words on the command line: exit code 2, with a hint what to write instead. */
export class UsageError extends Error {
  readonly hint: string
  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}
