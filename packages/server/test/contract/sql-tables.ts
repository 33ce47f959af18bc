// SPDX-License-Identifier: Apache-2.0
/** The tables the SQL contract plays with. */
export interface ContractTables {
  readonly thing: {
    readonly name: string
    readonly bytes: Uint8Array | null
    readonly number: number | null
  }
  readonly counter: {
    readonly id: number
    readonly value: number
  }
}
