package main

import "strings"

// commandLine is what to type, from the root of the repository, to run this again.
func commandLine(args []string) string {
	words := []string{"go", "-C", "bench/capacity", "run", "."}
	for _, a := range args {
		words = append(words, quote(a))
	}
	return strings.Join(words, " ")
}

// quote makes one word of an argument, for a shell.
func quote(arg string) string {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%"
	if arg != "" && strings.Trim(arg, harmless) == "" {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
