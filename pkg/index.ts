// The library entry; grows with the kernel.
export { KernelError, InputError, Bug } from './bytes/errors.js'
