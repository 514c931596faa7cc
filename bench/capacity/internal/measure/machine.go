package measure

import (
	"cmp"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// machine says what this is. What the system does not tell stays empty, and it is
// never asked for the host's name: reports get passed on.
func machine() figures.Machine {
	m := figures.Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if infos, err := cpu.Info(); err == nil && len(infos) > 0 {
		m.CPU = strings.Join(strings.Fields(infos[0].ModelName), " ")
	}
	m.CPU = cmp.Or(m.CPU, "unknown CPU")
	if v, err := mem.VirtualMemory(); err == nil {
		m.Memory = v.Total
	}
	if h, err := host.Info(); err == nil {
		m.OS = strings.Join(strings.Fields(h.OS+" "+h.Platform+" "+h.PlatformVersion+", kernel "+h.KernelVersion), " ")
	}
	return m
}
