//go:build !purego

#include "textflag.h"

// func Lines(one, other unsafe.Pointer)
TEXT ·Lines(SB), NOSPLIT, $0-16
	MOVQ one+0(FP), AX
	MOVQ other+8(FP), BX
	PREFETCHT0 (AX)
	PREFETCHT0 (BX)
	RET
