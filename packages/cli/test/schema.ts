// SPDX-License-Identifier: Apache-2.0
export { assertValid } from '../../server/test/schema.ts'
