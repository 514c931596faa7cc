// Package measure loads a table and finds out what it bears.
//
//	plan ─▶ Run ─▶ for each size: memory, collection, ceiling, loads
//	               sessions that have ended · storms · cores
//	                    │
//	                    ▼
//	              population, driven in open loop (pace) or back to back
//
// Everything but the storms on all cores and the comparison of cores runs with
// GOMAXPROCS=1, load and garbage collection included: that is what "one core"
// means here.
package measure
