// Package measure holds what the benchmarks of ./bench and the contenders of
// ./bench/peers are timed with, and what they are timed against: one clock, one
// way to begin together, the same ids, and one floor, so that their figures can be
// compared.
package measure
