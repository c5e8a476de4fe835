// Words of quantity, both ways: what iproute2's lib/utils.c, lib/ll_addr.c and tc/tc_util.c read from a command line and print back.
// parseX(text) gives undefined for a bad word (the caller words the complaint), formatX(value) is what the real tools print.
export * from './number.js'
export * from './rate.js'
export * from './size.js'
export * from './time.js'
export * from './handle.js'
export * from './mac.js'
export * from './inet.js'
